/* Generated from docs/schemas/visitor-events.json by `npm run types`. Do not edit. */

/**
 * A publication on visitor:{visitor_id}. Made by `manage.py export_protocol`.
 */
export type VisitorEvent =
  | MessageNewEnvelope
  | EngagementAssignedEnvelope
  | EngagementClosedEnvelope
  | EngagementReopenedEnvelope
  | MessageReadEnvelope
  | TypingStartedEnvelope
  | TypingStoppedEnvelope
  | SessionRevokedEnvelope

/**
 * A message or a private note was stored.
 *
 * Agents append it and update the list row. Visitors get public ones, their own included, so
 * that their other tabs show them; a note has no visitor payload.
 */
export interface MessageNewEnvelope {
  type: 'message.new'
  engagement_id: number
  seq: number
  event_id: string
  data: MessageNew
}
/**
 * The guide's `message.new`, with the fields that its later readers need.
 *
 * A client skips a `message_id` that it shows already, and takes a `client_message_id` of its
 * own as the confirmation of what it sent.
 */
export interface MessageNew {
  message_id: number
  id: number
  content: string
  content_type: 'TEXT'
  sender: SenderShape
  created_at: string
  parent_message_id: number | null
  client_message_id: string | null
  attachments: {
    [k: string]: unknown
  }[]
  metadata: {
    [k: string]: unknown
  }
}
/**
 * Who did it, as the visitor sees it: an agent by id and name.
 */
export interface SenderShape {
  type: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  id: number
  name: string | null
}
/**
 * The owner or the team changed, by claim or assignment.
 *
 * Visitors hear of it only where there is an agent to show.
 */
export interface EngagementAssignedEnvelope {
  type: 'engagement.assigned'
  engagement_id: number
  seq: number
  event_id: string
  data: EngagementAssigned
}
/**
 * The guide's `engagement.assigned`: show who is there to help.
 */
export interface EngagementAssigned {
  engagement_id: number
  agent: Person
}
/**
 * An agent or a team by name.
 */
export interface Person {
  id: number
  name: string
}
/**
 * The conversation was closed.
 */
export interface EngagementClosedEnvelope {
  type: 'engagement.closed'
  engagement_id: number
  seq: number
  event_id: string
  data: EngagementClosed
}
/**
 * The guide's `engagement.closed`: the composer rests; the next message opens a new one.
 */
export interface EngagementClosed {
  engagement_id: number
  closed_at: string
  reason: string | null
}
/**
 * A closed conversation is open again, by command or because an agent wrote to it.
 */
export interface EngagementReopenedEnvelope {
  type: 'engagement.reopened'
  engagement_id: number
  seq: number
  event_id: string
  data: EngagementReopened
}
/**
 * The composer works on the same engagement again. `agent` owns it; null is nobody.
 */
export interface EngagementReopened {
  engagement_id: number
  agent: Person | null
}
/**
 * Somebody has read or received further.
 *
 * The marks are in every snapshot of a conversation, so nothing is logged: who resumes takes the
 * list and the open conversation anew.
 *
 * Agents draw read ticks and the unread badge; visitors draw read ticks when an agent has read.
 */
export interface MessageReadEnvelope {
  type: 'message.read'
  engagement_id: number
  event_id: string
  data: MessageReadVisitor
}
/**
 * The guide's `message.read`: an agent has read up to and including `message_id`.
 */
export interface MessageReadVisitor {
  engagement_id: number
  reader_type: 'user'
  reader_id: number
  message_id: number
}
/**
 * Somebody types. It ends by `typing.stopped`, or 6 s after the last start.
 */
export interface TypingStartedEnvelope {
  type: 'typing.started'
  engagement_id: number
  event_id: string
  data: VisitorTyping
}
/**
 * The guide's typing payload; `sender_name` is null where the agent has none.
 */
export interface VisitorTyping {
  engagement_id: number
  sender_type: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  sender_id: number
  sender_name: string | null
}
/**
 * Somebody stopped typing.
 */
export interface TypingStoppedEnvelope {
  type: 'typing.stopped'
  engagement_id: number
  event_id: string
  data: VisitorTyping
}
/**
 * A contact's sessions were revoked. The sockets are closed with 4501 right after.
 */
export interface SessionRevokedEnvelope {
  type: 'session.revoked'
  engagement_id: number
  event_id: string
  data: SessionRevoked
}
/**
 * The visitor's sessions were ended by an agent: forget the session and stop.
 */
export interface SessionRevoked {}
