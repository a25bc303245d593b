/** Who changes something: a principal, or the operator at the machine itself. */
import type { AccountId } from '../../ids.ts';
import type { Principal } from '../../principal.ts';
import { type Action, authorize } from '../access/authorize.ts';

/** `admin`: whoever may open the data directory or its admin socket; above all roles. */
export type Actor = Principal | 'admin';

/** As `authorize`, and lets the machine's operator do everything. */
export function authorizeActor(actor: Actor, action: Action, owner?: AccountId): void {
  if (actor !== 'admin') authorize(actor, action, owner);
}

/** How an actor is written in the audit trail. */
export function actorName(actor: Actor): string {
  return actor === 'admin' ? 'admin' : actor.accountId;
}
