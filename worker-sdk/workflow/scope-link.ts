/** How something that can be cancelled is tied to the scope it is begun in. */
import { CancellationScope } from './cancellation-scope.js';

/**
 * Ties to the current scope. Returns true when that is cancelled already: then nothing must be begun, and `reject` gets the reason.
 * @param onCancel called when the scope is cancelled later
 */
export function tieToScope(reject: (reason: unknown) => void, onCancel: (reason: unknown) => void): boolean {
  const scope = CancellationScope.current();
  if (scope.consideredCancelled) {
    scope.cancelRequested.catch(reject);
    return true;
  }
  if (scope.cancellable) scope.cancelRequested.catch(onCancel);
  return false;
}
