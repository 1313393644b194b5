/** The driver of PostgreSQL, for those who make connections. */
import './runtime-name.js';

export { default } from 'pg';
