/**
 * The official client as a process, for the contract tests: what happens to it is printed as one
 * JSON object per line, and commands are read from standard input, one JSON object per line.
 *
 *   node tests/node/gateway_client.mjs '{"url": "ws://...", "connection_token": "...",
 *       "subscription_token": "...", "channel": "visitor:...", "since": {"offset": 0, "epoch": ""},
 *       "seconds": 30, "options": {"minReconnectDelay": 50}}'
 *
 * `since`, `seconds` (ends by itself) and `options` (of the Centrifuge constructor) may be absent;
 * without `channel` nothing is subscribed to. The end of standard input ends the process.
 *
 * Lines: `{"event": "connecting" | "connected" | "disconnected" | "error" | "message" |
 * "subscribing" | "subscribed" | "unsubscribed" | "publication" | "join" | "leave" | "getToken" |
 * "result", "of": "client" | "subscription", ...the client's own context}`.
 */
import { createInterface } from 'node:readline'
import { Centrifuge } from 'centrifuge'
import WebSocket from 'ws'

const config = JSON.parse(process.argv[2] ?? '{}')
/** @type {Record<'client' | 'subscription', string | null>} */
const tokens = { client: config.connection_token ?? '', subscription: config.subscription_token }

/** @param {Record<string, unknown>} line */
function print(line) {
  const replacer = (/** @type {string} */ _key, /** @type {unknown} */ value) =>
    value instanceof Error ? { name: value.name, message: value.message } : value
  process.stdout.write(`${JSON.stringify(line, replacer)}\n`)
}

/**
 * @param {{on(event: any, listener: (context: any) => void): unknown}} emitter
 * @param {string} of
 * @param {string[]} events
 */
function report(emitter, of, events) {
  for (const event of events) {
    emitter.on(event, (context) => print({ event, of, ...context }))
  }
}

/**
 * The newest token that was given, null to say that there is none any more.
 *
 * @param {'client' | 'subscription'} of
 */
async function getToken(of) {
  print({ event: 'getToken', of })
  return /** @type {string} */ (tokens[of])
}

const centrifuge = new Centrifuge(config.url, {
  websocket: WebSocket,
  token: config.connection_token ?? '',
  getToken: () => getToken('client'),
  ...config.options,
})
report(centrifuge, 'client', ['connecting', 'connected', 'disconnected', 'error', 'message'])

const subscription = config.channel
  ? centrifuge.newSubscription(config.channel, {
      token: config.subscription_token,
      getToken: () => getToken('subscription'),
      ...(config.since && { since: config.since }),
    })
  : null
if (subscription) {
  report(subscription, 'subscription', [
    'subscribing',
    'subscribed',
    'unsubscribed',
    'publication',
    'join',
    'leave',
    'error',
  ])
  subscription.subscribe()
}

function end() {
  centrifuge.disconnect()
  process.exit(0)
}

/** @type {Record<string, (options: any) => unknown>} */
const COMMANDS = {
  connect: () => centrifuge.connect(),
  disconnect: () => centrifuge.disconnect(),
  subscribe: () => subscription?.subscribe(),
  unsubscribe: () => subscription?.unsubscribe(),
  /** `{"value": "...", "of": "subscription"}`; the connection's without `of`. */
  token: ({ value, of = 'client' }) => {
    tokens[/** @type {keyof typeof tokens} */ (of)] = value
  },
  history: (options) => subscription?.history(options),
  presence: () => subscription?.presence(),
  presenceStats: () => subscription?.presenceStats(),
  publish: ({ data }) => subscription?.publish(data),
  rpc: ({ method, data }) => centrifuge.rpc(method, data),
  send: ({ data }) => centrifuge.send(data),
  exit: end,
}

/** @param {string} line */
async function obey(line) {
  const { cmd, ...options } = JSON.parse(line)
  const command = COMMANDS[cmd]
  if (!command) return print({ event: 'result', cmd, error: { message: 'unknown command' } })
  try {
    print({ event: 'result', cmd, value: (await command(options)) ?? null })
  } catch (error) {
    print({ event: 'result', cmd, error })
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => void obey(line))
  .on('close', end)
if (config.seconds) setTimeout(end, config.seconds * 1000)
centrifuge.connect()
