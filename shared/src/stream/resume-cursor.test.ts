import { describe, expect, it } from 'vitest';
import { decideAttach } from './resume-cursor.ts';

const live = { epoch: 7, seq: 5, ended: false };
const over = { epoch: 7, seq: 5, ended: true };

describe('where a reader begins', () => {
  it('STREAM-6: a first visit begins at the start, of a live and of an ended stream', () => {
    expect(decideAttach(live, undefined)).toEqual({ type: 'read', afterSeq: 0 });
    expect(decideAttach(over, undefined)).toEqual({ type: 'read', afterSeq: 0 });
    expect(decideAttach({ epoch: 7, seq: 0, ended: false }, undefined)).toEqual({
      type: 'read',
      afterSeq: 0,
    });
  });

  it('STREAM-6: a reader goes on after its last event', () => {
    expect(decideAttach(live, { epoch: 7, seq: 3 })).toEqual({ type: 'read', afterSeq: 3 });
    expect(decideAttach(live, { epoch: 7, seq: 5 })).toEqual({ type: 'read', afterSeq: 5 });
    expect(decideAttach(over, { epoch: 7, seq: 4 })).toEqual({ type: 'read', afterSeq: 4 });
  });

  it('STREAM-8: an id of another epoch, or of an event that does not exist, is a gap', () => {
    expect(decideAttach(live, { epoch: 8, seq: 3 })).toEqual({ type: 'gap' });
    expect(decideAttach(live, { epoch: 7, seq: 6 })).toEqual({ type: 'gap' });
    expect(decideAttach(over, { epoch: 8, seq: 5 })).toEqual({ type: 'gap' });
  });

  it('STREAM-9: a reader that has the final event has nothing left to read', () => {
    expect(decideAttach(over, { epoch: 7, seq: 5 })).toEqual({ type: 'nothing-left' });
  });

  it('STREAM-17: an unfinished stream lets nobody come back for ever', () => {
    const unfinished = { code: 'processing_failed', message: 'Not kept.' } as const;
    const head = { epoch: 5, seq: 3, ended: false, unfinished };
    expect(decideAttach(head, undefined)).toEqual({ type: 'read', afterSeq: 0 });
    expect(decideAttach(head, { epoch: 5, seq: 2 })).toEqual({ type: 'read', afterSeq: 2 });
    expect(decideAttach(head, { epoch: 5, seq: 3 })).toEqual({ type: 'nothing-left' });
    expect(() => decideAttach({ ...head, seq: 0 }, undefined)).toThrow('Not kept.');
  });
});
