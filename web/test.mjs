// Bundles each test and gives them all to Node's own test runner.
import { build } from 'esbuild'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'

const names = readdirSync('tests').filter((name) => name.endsWith('.test.ts'))
const folder = mkdtempSync(join(tmpdir(), 'cloudmr-web-tests-'))
try {
  await build({
    entryPoints: names.map((name) => `tests/${name}`),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
  const files = names.map((name) => join(folder, name.replace(/\.ts$/, '.mjs')))
  process.exitCode = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
