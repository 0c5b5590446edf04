/**
 * Writes the TypeScript types of the realtime events from the JSON Schemas that
 * `manage.py export_protocol` exports.
 *
 *   node types.mjs          writes the files
 *   node types.mjs --check  fails when one is missing or differs from its schema
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { compile } from 'json-schema-to-typescript'

/** One line per audience. The root type is the union of all its events, told apart by `type`. */
const TARGETS = [
  {
    schema: 'docs/schemas/visitor-events.json',
    output: 'realtime/protocol/visitor-events.gen.ts',
    root: 'VisitorEvent',
  },
  {
    schema: 'docs/schemas/agent-events.json',
    output: 'realtime/protocol/agent-events.gen.ts',
    root: 'AgentEvent',
  },
]

/**
 * Every property's title would become a type of its own.
 *
 * @param {string} key
 * @param {unknown} value
 */
const dropTitle = (key, value) => (key === 'title' && typeof value === 'string' ? undefined : value)

/**
 * @param {(typeof TARGETS)[number]} target
 * @returns {Promise<string>} the source of one generated file
 */
async function generate({ schema, root }) {
  return compile(JSON.parse(await readFile(schema, 'utf8'), dropTitle), root, {
    additionalProperties: false,
    bannerComment: `/* Generated from ${schema} by \`npm run types\`. Do not edit. */`,
    enableConstEnums: false,
    format: true,
    style: { printWidth: 100, semi: false, singleQuote: true },
    unreachableDefinitions: true,
  })
}

const check = process.argv.includes('--check')
const stale = []
for (const target of TARGETS) {
  const source = await generate(target)
  const current = await readFile(target.output, 'utf8').catch(() => '')
  if (current === source) continue
  if (check) stale.push(target.output)
  else {
    await mkdir(dirname(target.output), { recursive: true })
    await writeFile(target.output, source)
    console.log(target.output)
  }
}
if (stale.length) {
  console.error(`Stale, run \`npm run types\`: ${stale.join(', ')}`)
  process.exit(1)
}
