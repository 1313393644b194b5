import { expect, test } from 'vitest';
import { ServiceError } from '../../../server/core/errors.js';
import { isWithin, requireSupportedClient } from '../../../server/core/validate/client-version.js';

const answer = (headers: object): string => {
  try {
    requireSupportedClient({ clientName: '', clientVersion: '', supportedServerVersions: '', ...headers }, '1.32.0');
    return 'welcome';
  } catch (error) {
    if (error instanceof ServiceError)
      return `${error.code} ${error.message} ${error.details.map(({ type }) => type.split('.').at(-1)).join()}`.trim();
    throw error;
  }
};

test.each([
  ['>=1.0.0 <2.0.0', '1.32.0', true],
  ['>=1.0.0 <2.0.0', '2.0.0', false],
  ['<1.0.0 || >=3.0.0', '3.1.0', true],
  ['>= 1.2.3', '1.2.3', true],
  ['1.2.3', '1.2.3', true],
  ['!=1.2.3', '1.2.3', false],
  ['<=1.2.3-beta', '1.2.4', false],
  ['banana', '1.2.3', undefined],
  ['', '1.2.3', undefined],
  ['>=1.0', '1.2.3', undefined],
])('"%s" and %s: %s', (range, version, expected) => {
  expect(isWithin(range, version)).toBe(expected);
});

test('who says nothing or is not known is welcome, and so are SDKs of today', () => {
  expect(answer({})).toBe('welcome');
  expect(answer({ clientName: 'recorder', clientVersion: 'banana' })).toBe('welcome');
  expect(answer({ clientName: 'constructor', clientVersion: 'banana' })).toBe('welcome');
  expect(answer({ clientName: 'temporal-go', clientVersion: '0.1.0', supportedServerVersions: '>=1.0.0 <2.0.0' })).toBe('welcome');
  expect(answer({ clientName: 'temporal-typescript', clientVersion: '1.24.0-rc.1' })).toBe('welcome');
});

test('who is too new, wants another server, or cannot be read is told so', () => {
  expect(answer({ clientName: 'temporal-go', clientVersion: '2.0.0' })).toMatch(
    /^FAILED_PRECONDITION Client version 2.0.0 is not supported.* ClientVersionNotSupportedFailure$/,
  );
  expect(answer({ supportedServerVersions: '<0.1.0' })).toBe(
    'FAILED_PRECONDITION Server version 1.32.0 is not supported. Client supports server versions: <0.1.0 ServerVersionNotSupportedFailure',
  );
  expect(answer({ clientName: 'temporal-go', clientVersion: 'banana' })).toMatch(
    /^INVALID_ARGUMENT Unable to parse client version: "banana"/,
  );
  expect(answer({ supportedServerVersions: 'banana' })).toMatch(/^INVALID_ARGUMENT Unable to parse supported server versions: "banana"/);
});
