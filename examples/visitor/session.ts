/** Who the visitor is, and the token that proves it. */
import { ApiError, type Call, type CallOptions, type SessionAnswer } from './api'
import type { Memory } from './storage'

/** A token this close to its end is replaced before it is used. */
const RENEW_EARLY_MS = 5 * 60_000

export interface Session {
  /**
   * Calls with a valid token. After a 401 the token is refreshed, or else a new session begun, and
   * the call made once more.
   */
  call: Call
  /** Drops the token, so that the next call begins a new session of the same visitor. */
  drop(): void
}

export function createSession(call: Call, memory: Memory, widgetKey: string): Session {
  let renewing: Promise<string> | null = null

  /** A random UUID, kept for good: whoever has it is this visitor. */
  function visitorId(): string {
    const known = memory.get('visitor_id')
    if (known) return known
    const created = crypto.randomUUID()
    memory.set('visitor_id', created)
    return created
  }

  function keep(answer: SessionAnswer): string {
    memory.set('session_token', answer.session_token)
    memory.set('session_expires_at', answer.expires_at)
    return answer.session_token
  }

  async function init(): Promise<string> {
    const body = {
      widget_key: widgetKey,
      visitor_id: visitorId(),
      metadata: {
        page_url: location.href,
        referrer: document.referrer,
        locale: navigator.language,
      },
    }
    return keep(await call<SessionAnswer>('/api/v1/auth/widget/session', { body }))
  }

  async function refreshOrInit(): Promise<string> {
    const session_token = memory.get('session_token')
    if (session_token) {
      try {
        const path = '/api/v1/auth/widget/session/refresh'
        return keep(await call<SessionAnswer>(path, { body: { session_token } }))
      } catch (error) {
        if (error instanceof ApiError && error.isTemporary) throw error
      }
    }
    return init()
  }

  /** Calls that meet an old token at the same time share one renewal. */
  function renew(): Promise<string> {
    renewing ??= refreshOrInit().finally(() => {
      renewing = null
    })
    return renewing
  }

  function currentToken(): string | Promise<string> {
    const token = memory.get('session_token')
    const expiresAt = Date.parse(memory.get('session_expires_at') ?? '')
    return token && expiresAt - Date.now() > RENEW_EARLY_MS ? token : renew()
  }

  return {
    async call<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
      const token = await currentToken()
      try {
        return await call<Answer>(path, { ...options, token })
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 401)) throw error
        const stored = memory.get('session_token')
        const isRenewed = stored && stored !== token // by another call, or by another tab
        return call<Answer>(path, { ...options, token: isRenewed ? stored : await renew() })
      }
    },
    drop: () => memory.remove('session_token'),
  }
}
