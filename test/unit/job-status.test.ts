/** How a Job's status may change, and lists of indexes. */
import { describe, expect, it } from 'vitest';
import { toMessage } from '../../src/apimachinery/field.ts';
import type { JobSpec, JobStatus } from '../../src/generated/types/batch.v1.ts';
import { indexesProblem, overlap } from '../../src/resources/batch/indexes.ts';
import { jobStatusErrors } from '../../src/resources/batch/job-status.ts';

const START = '2026-01-01T00:00:00Z';
const END = '2026-01-01T00:01:00Z';
const conditions = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
const complete: JobStatus = {
  startTime: START,
  completionTime: END,
  succeeded: 1,
  conditions: conditions('SuccessCriteriaMet', 'Complete'),
};
const failed: JobStatus = { startTime: START, failed: 1, conditions: conditions('FailureTarget', 'Failed') };
const running: JobStatus = { startTime: START, active: 1 };
const indexed: JobSpec = { completionMode: 'Indexed', completions: 4, parallelism: 2 };

function errors(now: JobStatus, old: JobStatus, spec: JobSpec = {}): string[] {
  const jobOf = (status: JobStatus) => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, spec, status });
  return jobStatusErrors(jobOf(now), jobOf(old)).map(toMessage);
}

describe("a Job's status", () => {
  it.each<[string, JobStatus, JobStatus, JobSpec?]>([
    ['starts', running, {}],
    ['completes', complete, running],
    ['fails', failed, running],
    ['counts indexes', { ...running, completedIndexes: '0,2-3' }, running, indexed],
    [
      'fails indexes',
      { ...running, failedIndexes: '1' },
      { ...running, completedIndexes: '0' },
      { ...indexed, backoffLimitPerIndex: 1 },
    ],
    ['stops while it is suspended', {}, running, { suspend: true }],
    [
      'shrinks with an elastic Job',
      { ...running, succeeded: 1 },
      { ...running, succeeded: 2 },
      { ...indexed, completions: 2 },
    ],
    ['keeps faults that it has', { ...failed, ready: 1 }, { ...failed, ready: 1 }],
  ])('%s', (_, now, old, spec) => {
    expect(errors(now, old, spec)).toEqual([]);
  });

  it.each<[string, JobStatus, JobStatus, string[], JobSpec?]>([
    [
      'runs again',
      { ...running, succeeded: 1 },
      complete,
      ['status.conditions: Invalid value: cannot disable the terminal Complete=True condition'],
    ],
    [
      'completes without a time',
      { ...complete, completionTime: undefined },
      running,
      ['status.completionTime: Required value: completionTime is required for Complete jobs'],
    ],
    [
      'completes before it starts',
      { ...complete, completionTime: '2025-01-01T00:00:00Z' },
      running,
      ['status.completionTime: Invalid value: "2025-01-01T00:00:00Z": completionTime cannot be set before startTime'],
    ],
    [
      'ends with pods that run',
      { ...complete, active: 1 },
      running,
      ['status.active: Invalid value: 1: active>0 is invalid for finished job'],
    ],
    [
      'is ready with no pods',
      { ...running, active: 0, ready: 1 },
      running,
      ['status.ready: Invalid value: 1: cannot set more ready pods than active'],
    ],
    [
      'counts back',
      { ...running, failed: 1 },
      { ...running, failed: 2 },
      ['status.failed: Invalid value: 1: cannot decrease the failed counter'],
    ],
    [
      'forgets its start',
      { active: 1 },
      running,
      ['status.startTime: Required value: startTime cannot be removed for unsuspended job'],
    ],
    [
      'counts a pod twice',
      { ...running, uncountedTerminatedPods: { succeeded: ['a', 'a'], failed: [''] } },
      running,
      [
        'status.uncountedTerminatedPods.succeeded[1]: Duplicate value: "a"',
        'status.uncountedTerminatedPods.failed[0]: Invalid value: "": must not be empty',
      ],
    ],
    [
      'has an index twice',
      { ...running, completedIndexes: '0-1', failedIndexes: '1' },
      running,
      ['status.failedIndexes: Invalid value: "1": failedIndexes and completedIndexes overlap at index: 1'],
      { ...indexed, backoffLimitPerIndex: 1 },
    ],
    [
      'has indexes without being Indexed',
      { ...running, completedIndexes: '0' },
      running,
      [
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
      ],
    ],
  ])('never %s', (_, now, old, expected, spec) => {
    expect(errors(now, old, spec)).toEqual(expected);
  });
});

describe('lists of indexes', () => {
  it.each([
    ['', undefined],
    ['0,2-3,9', undefined],
    ['10', 'too large index: "10"'],
    [
      '1-2-3',
      'the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by \'-\'',
    ],
    ['2,1', 'non-increasing order, previous: 2, current: 1'],
    ['3-3', 'non-increasing order, previous: 3, current: 3'],
    ['a', 'cannot convert string to integer for index: "a"'],
  ])('%j', (text, problem) => {
    expect(indexesProblem(text, 10)).toBe(problem);
  });

  it('overlap or do not', () => {
    expect(overlap('0-2,5', '3-4,6', 10)).toBeUndefined();
    expect(overlap('0-2,5-7', '3-4,6', 10)).toBe(6);
  });
});
