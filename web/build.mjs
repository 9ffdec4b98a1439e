// Bundles src/ and styles/ into the folder the Brain serves them from. Every file of src/ that a page names is an entry.
import { build } from 'esbuild'
import { existsSync, readdirSync } from 'node:fs'

const OUT = process.env.CLOUDMR_WEB_OUT ?? '../src/cloudmr/web/static'
const pages = existsSync('src/pages') ? readdirSync('src/pages').filter((name) => name.endsWith('.ts')) : []

await build({
  entryPoints: [
    'src/app.ts',
    'styles/app.css',
    ...pages.map((name) => ({ in: `src/pages/${name}`, out: name.replace(/\.ts$/, '') })),
  ],
  outdir: OUT,
  entryNames: '[name]',
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
})
