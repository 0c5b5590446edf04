/**
 * Bundles the front ends.
 *
 *   node build.mjs          hashed files, their .br and .gz, and manifest.json into assets/dist
 *   node build.mjs --watch  the same again after every change, without compressing
 *   node build.mjs --test   the pages of the browser tests, under plain names beside their sources
 */
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { context, build } from 'esbuild'

/** Logical name, by which the server asks the manifest, to source file. A new front end is one line here. */
const ENTRIES = {
  'admin_ui/pages.js': 'admin_ui/static_src/pages.ts',
  'admin_ui/pages.css': 'admin_ui/static_src/pages.css',
  'examples/visitor.js': 'examples/visitor.ts',
  'examples/visitor.css': 'examples/visitor.css',
}

/** Output to source, for the browser tests alone. */
const TEST_ENTRIES = {
  'tests/e2e/guide/dist/guide.js': 'tests/e2e/guide/guide.ts',
}

const OUT_DIR = 'assets/dist'

/** @type {import('esbuild').BuildOptions} */
const OPTIONS = {
  bundle: true,
  format: 'esm',
  target: 'es2020',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
}

/** @param {Record<string, string>} entries from output name to source */
const entryPoints = (entries) =>
  Object.entries(entries).map(([out, source]) => ({ in: source, out: out.replace(/\.\w+$/, '') }))

/** @type {import('esbuild').BuildOptions} */
const PRODUCT = {
  ...OPTIONS,
  entryPoints: entryPoints(ENTRIES),
  entryNames: '[dir]/[name].[hash]',
  outdir: OUT_DIR,
  minify: true,
  sourcemap: 'linked',
  metafile: true,
}

/**
 * Logical name to hashed file. The manifest is replaced in one step and last, so that a server
 * which reads it meanwhile finds every file that it names.
 *
 * @param {import('esbuild').Metafile} metafile
 */
async function writeManifest(metafile) {
  /** @type {Record<string, {file: string}>} */
  const manifest = {}
  for (const [name, source] of Object.entries(ENTRIES).sort()) {
    const output = Object.entries(metafile.outputs).find(([, info]) => info.entryPoint === source)
    if (!output) throw new Error(`${source} has no output`)
    manifest[name] = { file: relative(OUT_DIR, output[0]) }
  }
  const target = join(OUT_DIR, 'manifest.json')
  await writeFile(`${target}.new`, `${JSON.stringify(manifest, null, 2)}\n`)
  await rename(`${target}.new`, target)
}

/**
 * Writes .gz and .br beside a file and prints the three sizes.
 *
 * @param {string} path
 */
async function compress(path) {
  const raw = await readFile(path)
  const [gz, br] = await Promise.all([
    promisify(gzip)(raw, { level: constants.Z_BEST_COMPRESSION }),
    promisify(brotliCompress)(raw, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
    }),
  ])
  await Promise.all([writeFile(`${path}.gz`, gz), writeFile(`${path}.br`, br)])
  const sizes = [raw, gz, br].map((bytes) => bytes.length.toLocaleString('en').padStart(9))
  console.log(`${relative(OUT_DIR, path).padEnd(36)}${sizes.join('')}`)
}

/**
 * Removes what earlier builds left. It comes after the manifest, so that a running server never
 * misses a file.
 *
 * @param {string[]} outputs of this build
 */
async function removeStale(outputs) {
  const keep = new Set(outputs.flatMap((path) => [path, `${path}.gz`, `${path}.br`]))
  keep.add(join(OUT_DIR, 'manifest.json'))
  const found = await readdir(OUT_DIR, { recursive: true, withFileTypes: true })
  const stale = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const path of stale) if (!keep.has(path)) await rm(path)
}

async function buildProduct() {
  const { metafile } = await build({ ...PRODUCT, metafile: true })
  const outputs = Object.keys(metafile.outputs)
  console.log(`${OUT_DIR.padEnd(36)}    bytes     gzip   brotli`)
  for (const path of outputs) if (!path.endsWith('.map')) await compress(path)
  await writeManifest(metafile)
  await removeStale(outputs)
}

async function watchProduct() {
  const watcher = await context({
    ...PRODUCT,
    logLevel: 'info',
    plugins: [
      {
        name: 'manifest',
        setup: (build) =>
          build.onEnd(async ({ metafile }) => {
            if (metafile) await writeManifest(metafile)
          }),
      },
    ],
  })
  await watcher.watch()
}

async function buildTests() {
  await build({
    ...OPTIONS,
    entryPoints: entryPoints(TEST_ENTRIES),
    outdir: '.',
    sourcemap: 'inline',
  })
  for (const path of Object.keys(TEST_ENTRIES)) console.log(path)
}

const MODES = { '--watch': watchProduct, '--test': buildTests }
const mode = process.argv[2]
if (mode && !(mode in MODES)) throw new Error(`unknown option ${mode}`)
await (mode ? MODES[/** @type {keyof typeof MODES} */ (mode)] : buildProduct)()
