/**
 * Proves that restic keeps its repositories here unchanged over TLS: it backs up, checks every
 * byte, forgets, prunes and restores, by both listings.
 */
import { testRestic } from './restic-tests.ts';

testRestic({ over: 'TLS' });
