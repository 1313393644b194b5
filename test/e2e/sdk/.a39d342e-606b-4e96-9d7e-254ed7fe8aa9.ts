import * as w from '@perdure/sdk/workflow';

    const { book } = w.proxySinks();
    export async function chatty() { book.note('first'); await w.sleep(1); book.note('second'); return w.workflowInfo().workflowId; }
  