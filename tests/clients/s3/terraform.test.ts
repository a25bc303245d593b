/**
 * Proves that Terraform keeps its state here, with a lock in the bucket: of two runs that contend
 * for it one waits or loses, and the loser is told by 412.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasProgram } from './has-program.ts';
import { type ProgramEnd, runProgram, tryProgram } from './run-program.ts';
import { type S3World, s3Forms, startS3World } from './s3-world.ts';

const KEY = 'terraform/state.tfstate';
const LOCK = `${KEY}.tflock`;

type Terraform = {
  run(...args: readonly string[]): Promise<ProgramEnd>;
  attempt(...args: readonly string[]): Promise<ProgramEnd>;
};

for (const form of s3Forms()) {
  test(`Terraform keeps its state and its lock over ${form.name}`, async (t) => {
    if (!hasProgram('terraform')) return t.skip('terraform is not installed');
    await using world = await startS3World(form);
    const [one, other] = [await openTerraform(world, 'one'), await openTerraform(world, 'other')];
    await keepState(world, one);
    await shareState(one, other);
    await contend(world, one, other);
    await keepWorkspaces(world, one);
    await one.run('destroy', '-auto-approve');
    assert.deepEqual((await stateOf(world, KEY)).resources, []);
  });
}

async function keepState(world: S3World, { run }: Terraform): Promise<void> {
  await run('init');
  await run('apply', '-auto-approve', '-var=text=first');
  assert.equal((await stateOf(world, KEY)).outputs.text.value, 'first');
  const { headers } = await world.raw.expectDone({
    method: 'HEAD',
    bucket: world.bucket,
    key: KEY,
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
  });
  assert.equal(headers['content-type'], 'application/json');
  assert.ok(headers['x-amz-checksum-sha256'], 'it sends a checksum, and that is kept');
  const lock = await world.raw.send({ method: 'HEAD', bucket: world.bucket, key: LOCK });
  assert.equal(lock.status, 404, 'the lock is given back');
}

async function shareState(one: Terraform, other: Terraform): Promise<void> {
  await other.run('init');
  assert.equal((await other.run('output', '-raw', 'text')).text, 'first');
  await other.run('apply', '-auto-approve', '-var=text=second');
  assert.equal((await one.run('output', '-raw', 'text')).text, 'second');
}

/** The first holds the lock for some seconds by a step that waits. */
async function contend(world: S3World, one: Terraform, other: Terraform): Promise<void> {
  const holding = one.run('apply', '-auto-approve', '-var=text=held', '-var=seconds=6');
  await untilLocked(world);
  const refused = await other.attempt('apply', '-auto-approve', '-var=text=lost');
  assert.equal(refused.exitCode, 1);
  assert.match(refused.notes, /Error acquiring the state lock/);
  assert.match(refused.notes, /StatusCode: 412/);
  assert.match(refused.notes, /PreconditionFailed/);
  assert.match(refused.notes, /Lock Info:[\s\S]*OperationTypeApply/, 'it could read who holds it');
  const waiting = other.run('apply', '-auto-approve', '-lock-timeout=60s', '-var=text=waited');
  await Promise.all([holding, waiting]);
  assert.equal((await stateOf(world, KEY)).outputs.text.value, 'waited');
}

async function untilLocked({ raw, bucket }: S3World): Promise<void> {
  for (;;) {
    const { status } = await raw.send({ method: 'HEAD', bucket, key: LOCK });
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function keepWorkspaces(world: S3World, { run }: Terraform): Promise<void> {
  await run('workspace', 'new', 'staging');
  await run('apply', '-auto-approve', '-var=text=staged');
  assert.match((await run('workspace', 'list')).text, /default\n\* staging\n/);
  assert.equal((await stateOf(world, `env:/staging/${KEY}`)).outputs.text.value, 'staged');
  assert.equal((await stateOf(world, KEY)).outputs.text.value, 'waited');
  await run('destroy', '-auto-approve');
  await run('workspace', 'select', 'default');
  await run('workspace', 'delete', 'staging');
  assert.doesNotMatch((await run('workspace', 'list')).text, /staging/);
}

type State = {
  readonly outputs: { readonly text: { readonly value: string } };
  readonly resources: readonly object[];
};

async function stateOf({ raw, bucket }: S3World, key: string): Promise<State> {
  return JSON.parse((await raw.expectDone({ method: 'GET', bucket, key })).text) as State;
}

/** A checkout of the same configuration, as each of several people has one. */
async function openTerraform(world: S3World, name: string): Promise<Terraform> {
  const directory = join(world.directory, `terraform-${name}`);
  await mkdir(directory);
  await writeFile(join(directory, 'main.tf'), configurationOf(world));
  const variables = {
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    CHECKPOINT_DISABLE: '1',
    TF_CLI_ARGS: '-no-color',
  };
  const runOf = (args: readonly string[]) => ({
    argv: ['terraform', ...args],
    variables,
    directory,
  });
  return {
    run: (...args) => runProgram(world, runOf(args)),
    attempt: (...args) => tryProgram(world, runOf(args)),
  };
}

/** As on the product page, by this version's names, with a lock and the account not asked for. */
function configurationOf(world: S3World): string {
  const trust = world.caFile === undefined ? '' : `custom_ca_bundle = "${world.caFile}"`;
  return `
terraform {
  backend "s3" {
    bucket       = "${world.bucket}"
    key          = "${KEY}"
    region       = "${world.region}"
    endpoints    = { s3 = "${world.endpoint}" }
    access_key   = "${world.accessKeyId}"
    secret_key   = "${world.secretAccessKey}"
    use_lockfile = true
    encrypt      = true
    ${trust}

    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    use_path_style              = true
  }
}

variable "text" {
  default = "none"
}

variable "seconds" {
  default = 0
}

resource "terraform_data" "kept" {
  input            = var.text
  triggers_replace = var.text

  provisioner "local-exec" {
    command = "sleep \${var.seconds}"
  }
}

output "text" {
  value = terraform_data.kept.output
}
`;
}
