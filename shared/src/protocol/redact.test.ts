import { describe, expect, it } from 'vitest';
import { pathOnly, redactUrl } from './redact.ts';

describe('redactUrl', () => {
  it.each([
    ['https://n8n.example/webhook-waiting/17', 'https://n8n.example/webhook-waiting/17'],
    [
      'https://n8n.example:5678/w/17?signature=s3cret',
      'https://n8n.example:5678/w/17?signature=[redacted]',
    ],
    ['http://a.example/?a=1&b=2&c', 'http://a.example/?a=[redacted]&b=[redacted]&[redacted]'],
    ['http://a.example/?=s3cret', 'http://a.example/?[redacted]'],
    ['http://user:s3cret@a.example/x#s3cret', 'http://a.example/x'],
    ['s3cret', '[not a url]'],
    ['', '[not a url]'],
  ])('LOG-1: %s is logged as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});

describe('pathOnly', () => {
  it.each([
    ['/stream/1?access_token=s3cret', '/stream/1'],
    ['/stream/1', '/stream/1'],
    ['https://a.example/stream/1?x=1#y', '/stream/1'],
    ['https://a.example?x=s3cret', '/'],
    ['/a#s3cret?b', '/a'],
    ['/a?b=\ns3cret', '/a'],
    ['?x', '/'],
    ['', '/'],
  ])('LOG-2: %j has the path %s', (target, path) => {
    expect(pathOnly(target)).toBe(path);
  });
});
