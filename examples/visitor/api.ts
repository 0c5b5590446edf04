/** The wire: one function that makes a call, and the shapes that the calls carry. */

export interface SessionAnswer {
  session_token: string
  expires_at: string
  engagement_id: number
}

export interface WireMessage {
  id: number
  content: string
  sender_type: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  sender_name?: string | null
  created_at: string
  client_message_id?: string | null
}

export interface Agent {
  id: number
  name: string
}

export interface Bootstrap {
  centrifugo_url: string
  connection_token: string
  subscription_token: string
  visitor_channel: string
  /** The open conversation, or 0. */
  engagement_id: number
  /** The newest 50, oldest first. */
  messages: WireMessage[]
  /** Where the stream stood before the messages were read; absent while the transport is down. */
  recovery?: { offset: number; epoch: string } | null
  agent?: Agent | null
  has_more?: boolean
  /** The newest message of the visitor that the agents have read. */
  read_up_to?: number
}

export interface History {
  messages: WireMessage[]
  has_more: boolean
}

export interface SendAnswer {
  message_id: number
  engagement_id: number
  created_at: string
  deduped: boolean
}

export class ApiError extends Error {
  constructor(
    /** The HTTP status, or 0 when no answer came. */
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds that the server asks us to wait. */
    readonly retryAfterS: number | null = null,
  ) {
    super(message)
  }

  /** Whether the same call may succeed later. Everything else needs somebody to change something. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

export interface CallOptions {
  method?: 'GET' | 'POST'
  body?: object
  token?: string
}

export type Call = <Answer>(path: string, options?: CallOptions) => Promise<Answer>

const TIMEOUT_MS = 15_000

/** Calls below `base`. Rejects with `ApiError` and with nothing else. */
export function createCall(base: string): Call {
  return async <Answer>(path: string, options: CallOptions = {}): Promise<Answer> => {
    const { method = 'POST', body, token } = options
    const headers = new Headers()
    if (body) headers.set('Content-Type', 'application/json')
    if (token) headers.set('Authorization', `Bearer ${token}`)
    try {
      const response = await fetch(base + path, {
        method,
        headers,
        credentials: 'omit',
        body: body ? JSON.stringify(body) : null,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      if (!response.ok) throw await toError(response)
      return (response.status === 204 ? undefined : await response.json()) as Answer
    } catch (error) {
      if (error instanceof ApiError) throw error
      throw new ApiError(0, 'NO_CONNECTION', 'The server did not answer.')
    }
  }
}

async function toError(response: Response): Promise<ApiError> {
  const { error } = (await response.json().catch(() => ({}))) as {
    error?: { code: string; message: string }
  }
  const retryAfter = Number(response.headers.get('Retry-After'))
  return new ApiError(
    response.status,
    error?.code ?? `HTTP_${response.status}`,
    error?.message ?? response.statusText,
    retryAfter > 0 ? retryAfter : null,
  )
}
