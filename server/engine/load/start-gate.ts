/**
 * Starts of workflows by their bytes. When more come than can be begun, most of them wait for seconds and many are refused in the end: decoded,
 * each would be twenty objects that outlive two garbage collections, which costs more than all the rest of it.
 */
import protobuf from 'protobufjs';
import type { Gate, Ticket, Turn } from '../call.js';
import type { Address, Admission } from './admission.js';
import { START } from './call-kind.js';
import { rawRequestBytes } from './request-bytes.js';

/** Where both StartWorkflowExecution and SignalWithStartWorkflowExecution say it: field 1 of the request; field 4, and field 1 of that. */
const NAMESPACE = (1 << 3) | 2;
const TASK_QUEUE = (4 << 3) | 2;
const NAME = (1 << 3) | 2;

/** Addresses that are kept to be used again. */
const KNOWN_MAX = 1_000;

const bytesOf = (request: Uint8Array): number => START.bytes + rawRequestBytes(request);

export class StartGate implements Gate {
  private readonly known = new Map<string, Map<string, Address>>();
  private count = 0;

  constructor(
    private readonly admission: Admission,
    /** The key of a task queue; undefined when that is not known. */
    private readonly keyOf: (namespace: string, queue: string) => string | undefined,
    /** Told of every call. */
    private readonly touch: () => void,
  ) {}

  enter(request: Uint8Array, turn: Turn): Ticket | undefined {
    this.touch();
    return this.admission.enter('start', this.addressOf(request), bytesOf(request), turn);
  }

  leave(request: Uint8Array): void {
    this.admission.leave('start', bytesOf(request));
  }

  private addressOf(request: Uint8Array): Address {
    const { namespace, queue } = startAddress(request);
    const known = this.known.get(namespace)?.get(queue);
    if (known) return known;
    const key = queue === '' ? undefined : this.keyOf(namespace, queue);
    const address = { namespace, queue: key };
    if (key === undefined) return address;
    if (++this.count > KNOWN_MAX) {
      this.known.clear();
      this.count = 1;
    }
    const ofNamespace = this.known.get(namespace);
    if (ofNamespace) ofNamespace.set(queue, address);
    else this.known.set(namespace, new Map([[queue, address]]));
    return address;
  }
}

/** Namespace and task queue of a request, read without the rest of it. Bytes that are no request have none: whoever decodes them says so. */
export function startAddress(request: Uint8Array): { namespace: string; queue: string } {
  const found = { namespace: '', queue: '' };
  try {
    const reader = protobuf.Reader.create(request);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === NAMESPACE) found.namespace = reader.string();
      else if (tag === TASK_QUEUE) {
        const end = reader.uint32() + reader.pos;
        while (reader.pos < end) {
          const inner = reader.uint32();
          if (inner === NAME) found.queue = reader.string();
          else reader.skipType(inner & 7);
        }
      } else reader.skipType(tag & 7);
    }
  } catch {
    // as far as it could be read
  }
  return found;
}
