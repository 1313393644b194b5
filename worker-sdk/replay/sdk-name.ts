/** What this SDK calls itself: in histories, in requests, in stack traces. */
export const SDK_NAME = 'perdure-typescript';
export const SDK_VERSION = '0.1.0';
