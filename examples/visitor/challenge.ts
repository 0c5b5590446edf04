/** The check that a site may ask for before it opens a session. */
import { ApiError, type Call } from './api'

interface ChallengeConfig {
  challenge: string
  /** Leading zero bits; 0 asks for no work. */
  pow_difficulty: number
}

export function asksForChallenge(error: unknown): boolean {
  return error instanceof ApiError && ['CHALLENGE_REQUIRED', 'POW_INVALID'].includes(error.code)
}

/** Fetches a challenge and solves it. The result belongs into the next init and serves once. */
export async function solveChallenge(
  call: Call,
  widgetKey: string,
): Promise<{ challenge: string; pow?: string }> {
  const { challenge, pow_difficulty } = await call<ChallengeConfig>(
    `/api/v1/webchat/config?widget_key=${encodeURIComponent(widgetKey)}&challenge=1`,
    { method: 'GET' },
  )
  if (!pow_difficulty) return { challenge }
  for (let n = 0; ; n++) {
    if ((await leadingZeroBits(`${challenge}:${n}`)) >= pow_difficulty) {
      return { challenge, pow: String(n) }
    }
  }
}

async function leadingZeroBits(text: string): Promise<number> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  let bits = 0
  for (const byte of new Uint8Array(digest)) {
    if (byte) return bits + Math.clz32(byte) - 24
    bits += 8
  }
  return bits
}
