/** A browser's surroundings and a server behind `fetch`, as far as the visitor example meets them. */
import { vi } from 'vitest'
import { openMemory, type Memory } from '../../../examples/visitor/storage'

export interface Request {
  path: string
  body: any
  token: string | null
}

type Answer = { status: number; body?: object; headers?: Record<string, string> } | 'offline'
type Handler = (request: Request) => Answer | Promise<Answer>

export const refused = (
  status: number,
  code: string,
  headers?: Record<string, string>,
): Answer => ({
  status,
  body: { error: { code, message: code } },
  ...(headers && { headers }),
})

export const INIT = '/api/v1/auth/widget/session'
export const REFRESH = '/api/v1/auth/widget/session/refresh'
export const BOOTSTRAP = '/v1/webchat/bootstrap'
export const MESSAGES = '/v1/webchat/messages'

/** Answers the calls whose path a handler knows, and keeps what was asked. */
export class FakeServer {
  readonly requests: Request[] = []
  readonly handlers: Record<string, Handler> = {}
  private sessions = 0

  constructor() {
    this.handlers[INIT] = () => this.session()
    this.handlers[REFRESH] = () => this.session()
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => this.answer(url, init))
    vi.stubGlobal('location', { href: 'https://shop.test/a?b=c', origin: 'https://shop.test' })
    vi.stubGlobal('document', { referrer: 'https://search.test/' })
    vi.stubGlobal('navigator', { language: 'sw' })
  }

  on(path: string, handler: Handler): void {
    this.handlers[path] = handler
  }

  to(path: string): Request[] {
    return this.requests.filter((request) => request.path === path)
  }

  session(lifetimeS = 86_400): Answer {
    const expires_at = new Date(Date.now() + lifetimeS * 1000).toISOString()
    return { status: 200, body: { session_token: `token-${++this.sessions}`, expires_at } }
  }

  private async answer(url: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers)
    const request = {
      path: url.replace('https://chat.test', ''),
      body: init.body ? JSON.parse(String(init.body)) : null,
      token: headers.get('Authorization')?.replace('Bearer ', '') ?? null,
    }
    this.requests.push(request)
    const handler = this.handlers[request.path]
    if (!handler) throw new Error(`no handler for ${request.path}`)
    const answer = await handler(request)
    if (answer === 'offline') throw new TypeError('Failed to fetch')
    const body = answer.body ? JSON.stringify(answer.body) : null
    return new Response(body, { status: answer.status, headers: answer.headers ?? {} })
  }
}

/** Storage that several `openMemory` calls share, as the reloads of a page do. */
export function fakeStorage(): () => Memory {
  const entries: Record<string, string> = {}
  const storage = new Proxy(entries, {
    get(_, name) {
      if (name === 'getItem') return (key: string) => entries[key] ?? null
      if (name === 'setItem') return (key: string, value: string) => void (entries[key] = value)
      if (name === 'removeItem') return (key: string) => void delete entries[key]
      return entries[String(name)]
    },
  }) as unknown as Storage
  return () => openMemory('karibu.wk.', storage)
}
