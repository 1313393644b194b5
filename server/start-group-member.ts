/** Where an engine process of a group comes in: as serve.ts is for one that is alone. */
import './storage/runtime-name.js';
import { inOnePiece } from './bundle.js';

await import(inOnePiece('group-member.js').href);
