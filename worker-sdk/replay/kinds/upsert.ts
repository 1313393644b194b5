/** Changes of search attributes and memo: fire and forget. */
import type { HistoryEvent, Payload } from '../../definitions/api.js';
import { decode, METADATA_ENCODING_KEY } from '../../payload/encoding.js';
import { EventType } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import type { ApiCommand, WorkflowCommand } from '../protocol.js';
import { CommandType, metadataOf } from './command.js';

export class UpsertMachine extends Machine {
  private constructor(
    owner: MachineOwner,
    private readonly what: 'search attributes' | 'memo',
    command: ApiCommand,
  ) {
    super(owner);
    owner.issue(this, command);
  }

  static searchAttributes(owner: MachineOwner, fields: { [key: string]: Payload }, metadata: ReturnType<typeof metadataOf>): UpsertMachine {
    return new UpsertMachine(owner, 'search attributes', {
      commandType: CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
      upsertWorkflowSearchAttributesCommandAttributes: { searchAttributes: { indexedFields: fields } },
      ...metadata,
    });
  }

  static memo(owner: MachineOwner, command: WorkflowCommand): UpsertMachine {
    return new UpsertMachine(owner, 'memo', {
      commandType: CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
      modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: command.modifyWorkflowProperties?.upsertedMemo },
      ...metadataOf(command),
    });
  }

  describe(): string {
    return `changed ${this.what}`;
  }

  commandRecorded(event: HistoryEvent): void {
    this.expect(
      event,
      this.what === 'memo' ? EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED : EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    );
    this.done = true;
  }
}

type Fields = { [name: string]: Payload };

/** A memo with changes laid over it. What the server takes for a removal, an empty value, removes. */
export function mergedMemo(fields: Fields, changes: Fields): Fields {
  const merged = new Map(Object.entries(fields));
  for (const [name, payload] of Object.entries(changes)) {
    if (isEmpty(payload)) merged.delete(name);
    else merged.set(name, payload);
  }
  return Object.fromEntries(merged);
}

function isEmpty({ metadata, data }: Payload): boolean {
  const encoding = metadata?.[METADATA_ENCODING_KEY];
  return encoding ? decode(encoding) === 'binary/null' : !data?.length;
}
