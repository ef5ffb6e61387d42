import { describe, expect, it } from 'vitest';
import { isAddress, isLoopbackAddress, isPublicAddress } from './addresses.ts';

const PUBLIC = [
  '1.1.1.1',
  '93.184.215.14',
  '172.15.255.255',
  '172.32.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '2606:4700:4700::1111',
  '[2606:4700:4700::1111]',
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
];

const NOT_PUBLIC = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.9.9.9'],
  ...['168.63.129.16', '169.254.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
  ...['192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.0.1', '198.18.0.1', '198.51.100.1'],
  ...['203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::127.0.0.1', '::10.0.0.1', '::8.8.8.8', '::ffff:127.0.0.1', '::ffff:a00:1'],
  ...['::ffff:169.254.169.254', '::ffff:0:10.0.0.1', '64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe'],
  ...['64:ff9b:1::1', '100::1', '2001::1', '2001:0:a00:1::1', '2001:db8::1', '2002:a00:1::'],
  ...['2002:808:808::', '2001:10::1', '2001:20::1', '3fff::1', '5f00::1', '4000::1', 'fc00::1'],
  ...['fd00::7', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
  ...['2606:4700:4700::1111%1', 'example.com', '', '1.1.1.1.1', '[1'],
];

describe('isPublicAddress', () => {
  it.each(PUBLIC)('CALLBACK-3: %s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each(NOT_PUBLIC)('CALLBACK-3: %j is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('isLoopbackAddress', () => {
  it.each(['127.0.0.1', '127.255.255.254', '::1', '[::1]', '::ffff:127.0.0.1'])(
    'CALLBACK-5: %s is loopback',
    (address) => {
      expect(isLoopbackAddress(address)).toBe(true);
    },
  );

  it.each(['128.0.0.1', '0.0.0.0', '::', '::2', '::ffff:10.0.0.1', '::127.0.0.1', 'localhost', ''])(
    'CALLBACK-5: %j is not loopback',
    (address) => {
      expect(isLoopbackAddress(address)).toBe(false);
    },
  );
});

describe('isAddress', () => {
  it('CALLBACK-3: tells addresses from names', () => {
    expect(['10.0.0.1', '::1', '[::1]'].map(isAddress)).toEqual([true, true, true]);
    expect(['example.com', '', 'cafe'].map(isAddress)).toEqual([false, false, false]);
  });
});
