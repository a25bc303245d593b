import { UnderWay } from '../../src/core/objects/write/under-way.ts';
import { SharedRoom } from '../../src/kit/shared-room.ts';

/** What is under way in a store of a test's own, with room for anything. */
export function openUnderWay(): UnderWay {
  const bytes = Number.MAX_SAFE_INTEGER;
  return new UnderWay(new SharedRoom({ ownBytes: 0, sharedBytes: bytes, ownerBytes: bytes }));
}
