/**
 * The two versions of the AWS command line. Each form of each has a test file of its own: starting
 * Python for every step takes half a minute and more.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { findPython } from '../../world/python.ts';
import { openAwsCli } from './aws-cli.ts';
import { awsCliParts } from './aws-cli-parts.ts';
import type { TestedTool } from './round-trip.ts';

const findFirst = () => join(dirname(findPython() ?? ''), 'aws');

export const AWS_CLI_V1: TestedTool = {
  name: 'AWS CLI v1',
  findObstacle: () =>
    findPython() === undefined ? 'the Python environment could not be made' : undefined,
  open: async (world) => openAwsCli(world, { program: findFirst() }),
  parts: awsCliParts(findFirst),
};

/** Debian's. What the search path finds first may be version 1. */
const SECOND = '/usr/bin/aws';

export const AWS_CLI_V2: TestedTool = {
  name: 'AWS CLI v2',
  findObstacle: () => {
    const { stdout } = spawnSync(SECOND, ['--version'], { encoding: 'utf8' });
    return stdout?.startsWith('aws-cli/2') ? undefined : 'awscli of version 2 is not installed';
  },
  open: async (world) => openAwsCli(world, { program: SECOND }),
  parts: awsCliParts(() => SECOND),
};
