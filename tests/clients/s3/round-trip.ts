/**
 * What every tool must be able to do against a running server, and does: over HTTP and over TLS,
 * with each byte compared. What a tool cannot express is sent as signed requests of our own.
 */
import { join } from 'node:path';
import { test } from 'node:test';
import { BUCKET_PARTS } from './bucket-parts.ts';
import { GAPS, type Gaps, type ToolName } from './gaps.ts';
import { OBJECT_PARTS } from './object-parts.ts';
import { rawSteps } from './raw-tool.ts';
import type { S3Steps, S3Tool } from './s3-tool.ts';
import { type S3Form, type S3World, s3Forms, startS3World } from './s3-world.ts';

export type Trip = {
  readonly world: S3World;
  readonly tool: S3Tool;
  readonly gaps: Gaps;
  /** The tool's own, and ours for what it lacks. */
  readonly steps: S3Steps;
  /** All of them ours: what the server holds, whatever the tool believes. */
  readonly raw: S3Steps;
  /** A path for a file of this name. */
  readonly fileAt: (name: string) => string;
};

export type TripPart = (trip: Trip) => Promise<void>;

export type TestedTool = {
  readonly name: ToolName;
  /** Why it cannot run here; `undefined` when it can. */
  readonly findObstacle: () => Promise<string | undefined> | string | undefined;
  readonly open: (world: S3World) => Promise<S3Tool>;
  /** What only this tool does. */
  readonly parts?: Readonly<Record<string, TripPart>>;
};

/** Registers the tests of one tool, over both forms unless it names one. */
export function testRoundTrip(
  { name, findObstacle, open, parts }: TestedTool,
  { over }: { readonly over?: S3Form['name'] } = {},
): void {
  for (const form of s3Forms()) {
    if (over !== undefined && form.name !== over) continue;
    test(`${name} makes a round trip over ${form.name}`, async (t) => {
      const obstacle = await findObstacle();
      if (obstacle !== undefined) return t.skip(obstacle);
      await using world = await startS3World(form);
      await using tool = await open(world);
      const raw = rawSteps(world.raw);
      const trip: Trip = {
        world,
        tool,
        gaps: GAPS[name],
        steps: { ...raw, ...tool.steps },
        raw,
        fileAt: (file) => join(world.directory, file),
      };
      const all = { ...BUCKET_PARTS, ...OBJECT_PARTS, ...parts };
      for (const [sentence, part] of Object.entries(all)) {
        await t.test(`${name}: ${sentence} (${form.name})`, () => part(trip));
      }
    });
  }
}
