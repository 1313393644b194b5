/** Lists, describes and makes namespaces. */
import type { temporal } from '@temporalio/proto';
import type { RegisterNamespaceOptions } from '../commands/namespace.js';
import type { ConnectionOptions } from '../options.js';
import { pairs, print, printJson, table } from '../output/print.js';
import { briefly, toMs } from '../output/time.js';
import { withServer } from '../rpc/connection.js';
import { enumName, toProtoJson } from '../rpc/open-api.js';

type Description = temporal.api.workflowservice.v1.IDescribeNamespaceResponse;

const DESCRIPTION = 'temporal.api.workflowservice.v1.DescribeNamespaceResponse';

const stateWord = (of: Description): string => enumName('temporal.api.enums.v1.NamespaceState', of.namespaceInfo?.state).replace('NAMESPACE_STATE_', '').toLowerCase();
const retention = (of: Description): string => briefly(toMs(of.config?.workflowExecutionRetentionTtl) ?? 0);

export const listNamespaces = (options: ConnectionOptions): Promise<void> =>
  withServer(options, async (server) => {
    const api = await server.workflows();
    const found: Description[] = [];
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const page = await api.listNamespaces({ pageSize: 100, nextPageToken });
      found.push(...page.namespaces);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken.length > 0);
    if (options.output === 'json') return printJson(found.map((one) => toProtoJson(DESCRIPTION, one)));
    print(table(['NAME', 'STATE', 'RETENTION', 'DESCRIPTION'], found.map((one) => [one.namespaceInfo?.name ?? '', stateWord(one), retention(one), one.namespaceInfo?.description ?? ''])));
  });

export const describeNamespace = (namespace: string, options: ConnectionOptions): Promise<void> =>
  withServer(options, async (server) => {
    const found = await (await server.workflows()).describeNamespace({ namespace });
    if (options.output === 'json') return printJson(toProtoJson(DESCRIPTION, found));
    print(
      pairs([
        ['Name', found.namespaceInfo?.name ?? ''],
        ['Id', found.namespaceInfo?.id ?? ''],
        ['State', stateWord(found)],
        ['Retention', retention(found)],
        ['Description', found.namespaceInfo?.description ?? ''],
        ['Owner', found.namespaceInfo?.ownerEmail ?? ''],
      ]),
    );
  });

export const registerNamespace = (namespace: string, options: RegisterNamespaceOptions): Promise<void> =>
  withServer(options, async (server) => {
    const seconds = Math.floor(options.retention / 1000);
    await (await server.workflows()).registerNamespace({
      namespace, description: options.description, workflowExecutionRetentionPeriod: { seconds: seconds as unknown as Long, nanos: (options.retention % 1000) * 1_000_000 },
    });
    if (options.output === 'json') printJson({ namespace });
    else print(`Namespace "${namespace}" is registered.`);
  });

// protobufjs takes a plain number where its types ask for Long
type Long = NonNullable<NonNullable<temporal.api.workflowservice.v1.IRegisterNamespaceRequest['workflowExecutionRetentionPeriod']>['seconds']>;
