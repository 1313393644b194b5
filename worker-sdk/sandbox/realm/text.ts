/** Text and bytes: TextEncoder, TextDecoder, atob and btoa, over the host's codecs, making objects of this realm only. */
import { define, state } from './state.js';

class WorkflowTextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(text = ''): Uint8Array {
    const string = String(text);
    const bytes = new Uint8Array(state.host.utf8Length(string));
    state.host.encodeInto(string, bytes);
    return bytes;
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    const { read, written } = state.host.encodeInto(String(text), target);
    return { read, written };
  }
}

class WorkflowTextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(encoding = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    this.encoding = String(encoding).toLowerCase();
    this.fatal = Boolean(options.fatal);
    this.ignoreBOM = Boolean(options.ignoreBOM);
  }

  decode(bytes?: ArrayBufferView | ArrayBuffer): string {
    if (bytes === undefined) return '';
    try {
      return state.host.decode(bytes, this.encoding, this.fatal, this.ignoreBOM);
    } catch (error) {
      throw new TypeError(String((error as { message?: unknown }).message));
    }
  }
}

export function installText(): void {
  define('TextEncoder', rename(WorkflowTextEncoder, 'TextEncoder'));
  define('TextDecoder', rename(WorkflowTextDecoder, 'TextDecoder'));
  define('btoa', (binary: unknown) => {
    const text = String(binary);
    for (const char of text) if (char.codePointAt(0)! > 255) throw new TypeError('btoa() takes characters up to U+00FF');
    return state.host.toBase64(text);
  });
  define('atob', (text: unknown) => state.host.fromBase64(String(text)));
}

/** Classes are written under other names here than they have as globals. */
export function rename<C extends object>(target: C, name: string): C {
  Object.defineProperty(target, 'name', { value: name, configurable: true });
  return target;
}
