/** The live channel, by the official client: it reconnects, recovers and renews its tokens itself. */
import { Centrifuge, UnauthorizedError } from 'centrifuge'
import type { VisitorEvent } from '../../realtime/protocol/visitor-events.gen'
import { ApiError, type Bootstrap } from './api'

interface Options {
  /** Fetches new tokens. */
  bootstrap(): Promise<Bootstrap>
  onEvent(event: VisitorEvent): void
  /** The stream could not fill a gap: only a snapshot can. */
  onGap(): void
  onConnection(connection: 'connecting' | 'online'): void
  /** The server will not have this connection any more. */
  onRefused(): void
  /** An agent has ended the visitor's sessions. */
  onRevoked(): void
}

export interface Realtime {
  close(): void
}

export function openRealtime(boot: Bootstrap, options: Options): Realtime {
  const centrifuge = new Centrifuge(boot.centrifugo_url, {
    token: boot.connection_token,
    getToken: async () => (await freshTokens(options)).connection_token,
  })
  const subscription = centrifuge.newSubscription(boot.visitor_channel, {
    token: boot.subscription_token,
    getToken: async () => (await freshTokens(options)).subscription_token,
    // The position was read before the messages: what happened in between is delivered again.
    ...(boot.recovery && { since: boot.recovery }),
  })

  subscription.on(
    'publication',
    safely(({ data }) => options.onEvent(data as VisitorEvent)),
  )
  subscription.on(
    'subscribed',
    safely(({ wasRecovering, recovered }) => {
      if (!(wasRecovering && recovered)) options.onGap()
      options.onConnection('online')
    }),
  )
  subscription.on(
    'subscribing',
    safely(() => options.onConnection('connecting')),
  )
  centrifuge.on(
    'connecting',
    safely(() => options.onConnection('connecting')),
  )
  centrifuge.on(
    'disconnected',
    safely(({ code }) => {
      if (code === REVOKED) options.onRevoked()
      else if (code !== CLOSED_BY_US) options.onRefused()
    }),
  )
  subscription.on(
    'unsubscribed',
    safely(() => options.onRefused()),
  )

  subscription.subscribe()
  centrifuge.connect()
  return { close: () => centrifuge.disconnect() }
}

const CLOSED_BY_US = 0
const REVOKED = 4501

/** The client tries again after any error but this one, by which it gives up. */
async function freshTokens({ bootstrap }: Options): Promise<Bootstrap> {
  try {
    return await bootstrap()
  } catch (error) {
    if (error instanceof ApiError && !error.isTemporary) throw new UnauthorizedError(error.code)
    throw error
  }
}

/** The client disconnects for good when a handler throws. */
function safely<Context>(handle: (context: Context) => void): (context: Context) => void {
  return (context) => {
    try {
      handle(context)
    } catch (error) {
      console.error(error)
    }
  }
}
