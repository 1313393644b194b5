/** What a person reads when the run waits for them: the commands that decide, and where everything is. */
import { ADDRESS, ADDRESS_IS_USUAL } from '../settings.js';

export function howToDecide(workflowId: string): string {
  const more = ADDRESS_IS_USUAL ? '' : ` --address ${ADDRESS}`;
  const places = [
    `gRPC ${ADDRESS}`,
    ...named('HTTP', 'PERDURE_HTTP_ADDRESS'),
    ...named('data', 'PERDURE_DATA'),
  ];
  return [
    '',
    'The run waits for a person, in the database alone: it takes no process, no memory and no CPU meanwhile. In a second terminal:',
    `  npx perdure approvals list${more}`,
    `  npx perdure approve ${workflowId} --reason "the bank statement shows it"${more}`,
    `  npx perdure reject ${workflowId} --reason "the second charge was taken back"${more}`,
    `  npx perdure workflow show ${workflowId}${more}`,
    `${places.join(', ')}.`,
    '',
  ].join('\n');
}

const named = (what: string, variable: string): string[] => {
  const value = process.env[variable];
  return value ? [`${what} ${value}`] : [];
};
