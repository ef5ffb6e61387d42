import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import { type CallbackPolicy, checkCallbackUrl } from './callback-guard.ts';
import { mayDialAddress } from './dial-guard.ts';

const CLOSED: CallbackPolicy = { allowedHosts: [], allowLoopback: false };
const DEV: CallbackPolicy = { allowedHosts: [], allowLoopback: true };
const listing = (...allowedHosts: string[]): CallbackPolicy => ({
  allowedHosts,
  allowLoopback: false,
});

function refusalOf(raw: string, policy = CLOSED): GatewayError | undefined {
  try {
    checkCallbackUrl(raw, policy);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
}

describe('the form of a callback address', () => {
  it('CALLBACK-1: a public http or https address passes with its query as it was', () => {
    const raw = 'https://n8n.example.com:5678/webhook-waiting/17?signature=a%2Fb%20c&x=';
    expect(checkCallbackUrl(raw, CLOSED).href).toBe(raw);
    expect(checkCallbackUrl('http://93.184.215.14:81/', CLOSED).port).toBe('81');
  });

  it.each([
    ['', 'not an absolute URL'],
    ['/webhook', 'not an absolute URL'],
    ['https://', 'not an absolute URL'],
    ['https://1.2.3.4.5/', 'not an absolute URL'],
    ['ftp://example.com/', 'neither http nor https'],
    ['javascript:alert(1)', 'neither http nor https'],
    ['file:///etc/passwd', 'neither http nor https'],
    ['https://user@example.com/', 'user name or password'],
    ['https://user:pw@example.com/', 'user name or password'],
    ['https://example.com\\@10.0.0.1/', 'backslash'],
    ['https://exa\tmple.com/', 'control character'],
    [' https://example.com/', 'a space'],
    [`https://example.com/${'a'.repeat(2048)}`, 'longer than 2048'],
  ])('CALLBACK-1: %j is refused', (raw, words) => {
    expect(refusalOf(raw)?.message).toContain(words);
  });

  it('CALLBACK-1: a refusal names the faulty field and not the address', () => {
    const refusal = refusalOf('http://10.0.0.1/?signature=secret');
    expect(refusal?.code).toBe('validation_failed');
    expect(refusal?.details?.fields).toEqual([
      { path: 'resumeUrl', message: expect.stringContaining('CALLBACK_ALLOWED_HOSTS') },
    ]);
    expect(refusal?.message).not.toContain('secret');
    expect(() => checkCallbackUrl('x', CLOSED, 'callbackUrl')).toThrow('callbackUrl');
  });
});

describe('private addresses', () => {
  it.each([
    ...['10.0.0.1', '169.254.169.254', '192.168.1.1', '172.16.0.9', '100.64.1.1', '0.0.0.0'],
    ...['168.63.129.16', '224.0.0.1', '255.255.255.255', '127.0.0.1', '127.1', '2130706433'],
    ...['0x7f000001', '0177.0.0.1', '0x7f.1', '017700000001', '3232235777', '0xa9fea9fe'],
    ...['127.0.0.1.', '10.0.0.1.', '１２７.０.０.１', '127。0。0。1', '%31%32%37.0.0.1', '0', '00'],
    ...[
      '[::]',
      '[::1]',
      '[::ffff:10.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[fd00:ec2::254]',
    ],
    ...['[64:ff9b::a00:1]', '[2002:7f00:1::]', '[2001:0:a00:1::1]', '[fe80::1]', '[ff02::1]'],
    ...['[0:0:0:0:0:ffff:127.0.0.1]', '[fec0::1]', '[2001:db8::1]'],
  ])('CALLBACK-3: http://%s/ is refused', (host) => {
    expect(refusalOf(`http://${host}/`)?.code).toBe('validation_failed');
    expect(refusalOf(`https://${host}:8443/path`)?.code).toBe('validation_failed');
  });

  it.each([
    ...['localhost', 'LOCALHOST', 'localhost.', 'app.localhost', 'a.b.localhost.', 'localhost..'],
    ...['printer.local', 'metadata.google.internal', 'router.home.arpa', 'home.arpa', 'db.lan'],
    ...['redis', 'n8n', 'redis.', 'svc.corp', 'ｌocalhost', 'example..com', 'host.localdomain'],
  ])('CALLBACK-4: the name %s is refused', (host) => {
    expect(refusalOf(`http://${host}/`)?.code).toBe('validation_failed');
  });

  it.each([
    'local.example.com',
    'internal.org',
    'localhost.example.com',
    'example.com.',
    'xn--bcher-kva.example',
  ])('CALLBACK-4: the public name %s passes', (host) => {
    expect(refusalOf(`https://${host}/`)).toBeUndefined();
  });
});

describe('CALLBACK_ALLOWED_HOSTS', () => {
  it('CALLBACK-2: only listed hosts may be used', () => {
    const policy = listing('n8n.example.com');
    expect(refusalOf('https://n8n.example.com/x', policy)).toBeUndefined();
    expect(refusalOf('https://N8N.EXAMPLE.COM.:444/x', policy)).toBeUndefined();
    expect(refusalOf('https://other.example.com/', policy)?.message).toContain('not allowed');
    expect(refusalOf('https://n8n.example.com.evil.org/', policy)).toBeDefined();
    expect(refusalOf('https://xn8n.example.com/', policy)).toBeDefined();
  });

  it('CALLBACK-2: a listed host may be private', () => {
    const policy = listing('10.0.0.7', 'n8n', 'localhost', '[FD00::7]');
    const hosts = ['10.0.0.7', 'n8n:5678', 'localhost', '[fd00:0::7]', '0xa000007'];
    for (const host of hosts) expect(refusalOf(`http://${host}/`, policy)).toBeUndefined();
    expect(refusalOf('http://10.0.0.8/', policy)).toBeDefined();
  });

  it('CALLBACK-2: a star stands for names below, at any depth, and not for the name itself', () => {
    const policy = listing('*.example.com');
    expect(refusalOf('https://a.example.com/', policy)).toBeUndefined();
    expect(refusalOf('https://a.b.example.com/', policy)).toBeUndefined();
    expect(refusalOf('https://example.com/', policy)).toBeDefined();
    expect(refusalOf('https://notexample.com/', policy)).toBeDefined();
  });

  it('CALLBACK-2: an entry with a port holds for that port alone', () => {
    const policy = listing('n8n:5678', 'a.example.com:443', '[fd00::7]:80');
    expect(refusalOf('http://n8n:5678/', policy)).toBeUndefined();
    expect(refusalOf('http://n8n/', policy)).toBeDefined();
    expect(refusalOf('https://a.example.com/', policy)).toBeUndefined();
    expect(refusalOf('http://a.example.com/', policy)).toBeDefined();
    expect(refusalOf('http://[fd00::7]/', policy)).toBeUndefined();
  });

  it('CALLBACK-2: entries that cannot be read let nothing through', () => {
    const policy = listing('*', '', 'https://example.com/', 'user@example.com');
    expect(refusalOf('https://example.com/', policy)).toBeDefined();
  });
});

describe('loopback in DEV_MODE', () => {
  it.each(['127.0.0.1', '127.8.8.8', 'localhost', 'localhost.', '[::1]', '2130706433'])(
    'CALLBACK-5: http://%s:5678/ passes, beside a list too',
    (host) => {
      expect(refusalOf(`http://${host}:5678/`, DEV)).toBeUndefined();
      expect(
        refusalOf(`http://${host}:5678/`, { ...DEV, allowedHosts: ['a.example'] }),
      ).toBeUndefined();
    },
  );

  it.each(['10.0.0.1', '169.254.169.254', '0.0.0.0', '[::]', 'n8n', 'db.internal', 'a.localhost'])(
    'CALLBACK-5: http://%s/ is still refused',
    (host) => {
      expect(refusalOf(`http://${host}/`, DEV)).toBeDefined();
    },
  );

  it('CALLBACK-5: a refused loopback address is answered with DEV_MODE', () => {
    expect(refusalOf('http://localhost:5678/')?.message).toContain('DEV_MODE=true');
  });
});

describe('the address a name resolved to', () => {
  const url = new URL('https://n8n.example.com/x');

  it('CALLBACK-6: a public name must resolve to a public address', () => {
    expect(mayDialAddress('93.184.215.14', url, CLOSED)).toBe(true);
    expect(mayDialAddress('10.0.0.1', url, CLOSED)).toBe(false);
    expect(mayDialAddress('::ffff:127.0.0.1', url, CLOSED)).toBe(false);
    expect(mayDialAddress('127.0.0.1', url, DEV)).toBe(false);
  });

  it('CALLBACK-6: a listed host may resolve to a private address', () => {
    expect(mayDialAddress('10.0.0.1', url, listing('n8n.example.com'))).toBe(true);
    expect(mayDialAddress('10.0.0.1', url, listing('other.example.com'))).toBe(false);
  });

  it('CALLBACK-6: localhost may resolve to loopback in DEV_MODE, and to nothing else private', () => {
    const local = new URL('http://localhost:5678/');
    expect(mayDialAddress('::1', local, DEV)).toBe(true);
    expect(mayDialAddress('127.0.0.1', local, DEV)).toBe(true);
    expect(mayDialAddress('127.0.0.1', local, CLOSED)).toBe(false);
    expect(mayDialAddress('10.0.0.1', local, DEV)).toBe(false);
  });
});
