/**
 * Proves that the proxy settings which are shipped break nothing, and that `pinfold doctor` names
 * what others break.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findBuiltProgram } from '../world/built-programs.ts';
import { hasNginx, startCaddy, startNginx } from '../world/proxies.ts';
import { type DoctorWorld, openDoctorWorld } from './doctor-world.ts';

const DEPLOY = join(import.meta.dirname, '..', '..', 'deploy');

const caddy = findBuiltProgram('caddy');
const noNginx = hasNginx() ? false : 'nginx is not installed';
const noCaddy = caddy === undefined ? 'caddy is not built' : false;

/** The text with every `from` in it, each of which must be there. */
function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((all, [from, to]) => {
    assert.ok(all.includes(from), `${from} is not in the snippet`);
    return all.replaceAll(from, to);
  }, text);
}

test('nginx with the shipped settings breaks nothing', { skip: noNginx }, async () => {
  await using world = await openDoctorWorld({ isTls: true });
  const { apiPort, s3Port, proxyPort, certificates } = world;
  const { certFile, keyFile } = certificates;
  const shipped = await readFile(join(DEPLOY, 'nginx.conf'), 'utf8');
  const rendered = replaced(shipped, [
    ['/etc/letsencrypt/live/files.example.org/fullchain.pem', certFile],
    ['/etc/letsencrypt/live/files.example.org/privkey.pem', keyFile],
    ['/etc/letsencrypt/live/s3.example.org/fullchain.pem', certFile],
    ['/etc/letsencrypt/live/s3.example.org/privkey.pem', keyFile],
    ['files.example.org', 'localhost'],
    ['s3.example.org', '127.0.0.1'],
    ['listen 443 ssl;', `listen 127.0.0.1:${proxyPort} ssl;`],
    ['    listen [::]:443 ssl;\n', ''],
    ['127.0.0.1:8080', `127.0.0.1:${apiPort}`],
    ['127.0.0.1:9000', `127.0.0.1:${s3Port}`],
  ]);
  await world.start((place) => startNginx(rendered, place));
  assert.deepEqual(await faultsOf(world), []);
});

test('Caddy with the shipped settings breaks nothing', { skip: noCaddy }, async () => {
  assert.ok(caddy !== undefined);
  await using world = await openDoctorWorld({ isTls: true });
  const { apiPort, s3Port, proxyPort, certificates } = world;
  const { certFile, keyFile } = certificates;
  const shipped = await readFile(join(DEPLOY, 'Caddyfile'), 'utf8');
  const rendered = replaced(shipped, [
    ['\nfiles.example.org {', `\nhttps://localhost:${proxyPort} {\n\tbind 127.0.0.1`],
    ['\ns3.example.org {', `\nhttps://127.0.0.1:${proxyPort} {\n\tbind 127.0.0.1`],
    ['# tls /path/to/fullchain.pem /path/to/privkey.pem', `tls ${certFile} ${keyFile}`],
    ['127.0.0.1:8080', `127.0.0.1:${apiPort}`],
    ['127.0.0.1:9000', `127.0.0.1:${s3Port}`],
  ]);
  await world.start((place) => startCaddy(caddy, rendered, place));
  // It drops them since 2.11 unless they are named one by one, which the snippet says.
  const [dropped, ...others] = await faultsOf(world);
  assert.match(dropped ?? '', /^s3 metadata names: warns lost on the way: /);
  assert.deepEqual(others, []);
});

async function faultsOf(world: DoctorWorld): Promise<readonly string[]> {
  const report = await world.doctor();
  assert.equal(report.exitCode, 0, report.faults.join('\n'));
  assert.match(report.of('s3', 'body buffering'), /passed on as they come/);
  assert.equal(await world.stored(), 0);
  return report.faults;
}

test('each default of nginx that breaks clients is named', { skip: noNginx }, async () => {
  await using world = await openDoctorWorld({ isTls: false });
  const { apiPort, s3Port, proxyPort } = world;
  // As most would write it first: proxy_pass with a path, and nothing else said.
  await world.start((place) =>
    startNginx(
      `server {
        listen 127.0.0.1:${proxyPort};
        server_name 127.0.0.1;
        location / {
          proxy_pass http://127.0.0.1:${s3Port}/;
          proxy_set_header Accept-Encoding "";
        }
      }
      server {
        listen 127.0.0.1:${proxyPort};
        server_name localhost;
        location / { proxy_pass http://127.0.0.1:${apiPort}/; }
      }`,
      place,
    ),
  );
  const report = await world.doctor();
  assert.equal(report.exitCode, 1);
  assert.match(report.of('s3', 'host'), new RegExp(`^warns .* arrives as 127.0.0.1:${s3Port};`));
  assert.equal(report.of('s3', 'path: //'), 'fails /doctor//a arrives as /doctor/a');
  assert.equal(report.of('s3', 'path: . and ..'), 'fails /doctor/a/../b arrives as /doctor/b');
  assert.match(report.of('s3', 'accept-encoding'), /^warns identity arrives as nothing/);
  assert.match(report.of('s3', 'headers'), /^ok/);
  assert.match(report.of('s3', 'metadata names'), /^warns lost .* x-amz-meta-under_score;/);
  assert.match(report.of('s3', 'body size'), /^fails no more than about 1 MiB .* answers 413/);
  assert.match(report.of('s3', 'body buffering'), /^warns whole bodies are gathered/);
  assert.match(report.of('s3', 'large upload'), /^fails 9 MiB are not stored: /);
  assert.match(report.of('s3', 'signature'), /^ok/);
  assert.match(report.of('api', 'body size'), /^fails no more than about 1 MiB/);
  assert.match(report.of('api', 'large upload'), /^fails/);
  for (const { state, remedy } of report.checks) {
    if (state === 'ok') assert.equal(remedy, null);
    else assert.match(remedy ?? '', /^[A-Z].+\.$/);
  }
  assert.equal(await world.stored(), 0);
});

test('what a meddling proxy does is named', { skip: noNginx }, async () => {
  await using world = await openDoctorWorld({ isTls: false });
  const { apiPort, s3Port, proxyPort } = world;
  const kept = 'client_max_body_size 300m; proxy_set_header Host $http_host;';
  await world.start((place) =>
    startNginx(
      `server {
        listen 127.0.0.1:${proxyPort};
        server_name 127.0.0.1;
        ${kept}
        gzip on;
        gzip_types text/plain;
        gzip_proxied any;
        large_client_header_buffers 4 2k;
        error_page 404 /missing.html;
        proxy_intercept_errors on;
        location / {
          set $args $args&added=1;
          proxy_pass http://127.0.0.1:${s3Port};
        }
        location ~ ^/[^/]+/doctor/ { proxy_pass http://127.0.0.1:${s3Port}; }
      }
      server {
        listen 127.0.0.1:${proxyPort};
        server_name localhost;
        ${kept}
        location / {
          proxy_pass http://127.0.0.1:${apiPort};
          proxy_set_header Authorization "";
        }
      }`,
      place,
    ),
  );
  const report = await world.doctor();
  assert.equal(report.exitCode, 1);
  assert.match(report.of('s3', 'query'), /^fails added=1 does not arrive as sent/);
  assert.match(report.of('s3', 'header size'), /^fails 7 KiB of headers do not arrive: .* 41[04]/);
  assert.match(report.of('s3', 'signature'), /^fails .* 403 SignatureDoesNotMatch/);
  assert.match(report.of('s3', 'body size'), /^warns no more than about 200 MiB/);
  assert.match(report.of('api', 'credential'), /^fails .* the API answers 401/);
  assert.equal(await world.stored(), 0);
});

test('ranges, methods, errors and compression are looked at', { skip: noNginx }, async () => {
  await using world = await openDoctorWorld({ isTls: false });
  const { apiPort, s3Port, proxyPort } = world;
  await world.start((place) =>
    startNginx(
      `proxy_cache_path ${place.directory}/cache keys_zone=s3:1m;
      server {
        listen 127.0.0.1:${proxyPort};
        server_name 127.0.0.1;
        client_max_body_size 0;
        proxy_set_header Host $http_host;
        gzip on;
        gzip_types text/plain;
        gzip_proxied any;
        error_page 404 = @missing;
        proxy_intercept_errors on;
        location @missing { return 404 "nothing here"; }
        location / {
          limit_except GET PUT POST { deny all; }
          proxy_cache s3;
          proxy_cache_valid 200 1m;
          proxy_pass http://127.0.0.1:${s3Port};
        }
      }
      server {
        listen 127.0.0.1:${proxyPort};
        server_name localhost;
        location / {
          client_max_body_size 0;
          proxy_set_header Range "";
          proxy_force_ranges off;
          gzip on;
          gzip_types text/plain;
          proxy_pass http://127.0.0.1:${apiPort};
        }
      }`,
      place,
    ),
  );
  const report = await world.doctor();
  assert.match(report.of('s3', 'HEAD'), /^fails .* it may arrive as another method/);
  assert.match(report.of('s3', 'caching'), /^fails objects are kept/);
  assert.match(report.of('s3', 'methods'), /^fails DELETE: nginx.* answers 403 in place of/);
  assert.match(report.of('s3', 'compression'), /^fails answers are compressed \(gzip\)/);
  assert.match(report.of('s3', 'error documents'), /^fails/);
  assert.match(report.of('s3', 'delete'), /^fails .* may be left: .*text/);
  assert.match(report.of('api', 'range'), /^fails/);
  assert.match(report.of('api', 'compression'), /^fails files are compressed \(gzip\)/);
});
