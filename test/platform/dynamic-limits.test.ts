/** The field's dynamic configuration keys as limits of this server. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../server/core/limits.js';
import { dynamicLimits } from '../../server/dynamic-limits.js';

describe('dynamic configuration', () => {
  it('changes the limits that its keys name, whatever their case, and no others', () => {
    const limits = dynamicLimits({ 'limit.maxIDLength': 255, 'HISTORY.MAXINFLIGHTUPDATES': 3, 'frontend.somethingElse': true });
    expect(limits).toEqual({ ...DEFAULT_LIMITS, idLengthMax: 255, updatesInFlightMax: 3 });
  });

  it('refuses every value that is no positive whole number, each by its key', () => {
    const read = (): unknown => dynamicLimits({ 'limit.maxIDLength': 'many', 'limit.blobSize.error': -1, 'limit.memoSize.error': 1000 });
    expect(read).toThrow(/limit\.maxIDLength: expected a positive whole number, got "many"/);
    expect(read).toThrow(/limit\.blobSize\.error: expected a positive whole number, got -1/);
  });
});
