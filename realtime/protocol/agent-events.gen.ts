/* Generated from docs/schemas/agent-events.json by `npm run types`. Do not edit. */

/**
 * A frame on /ws/agent that answers no command. Made by `manage.py export_protocol`.
 */
export type AgentEvent =
  | MessageCreatedFrame
  | ConversationStartedFrame
  | ConversationAssignedFrame
  | ConversationClosedFrame
  | ConversationReopenedFrame
  | ContactUpdatedFrame
  | SeenUpdatedFrame
  | TypingStartedFrame
  | TypingStoppedFrame
  | ViewingChangedFrame
  | PresenceChangedFrame
  | VisitorConnectedFrame
  | VisitorDisconnectedFrame
  | HeadFrame
  | ResyncFrame
  | CountsChangedFrame

/**
 * A message or a private note was stored.
 *
 * Agents append it and update the list row. Visitors get public ones, their own included, so
 * that their other tabs show them; a note has no visitor payload.
 */
export interface MessageCreatedFrame {
  type: 'message.created'
  seq: number
  prev: number
  event_id: string
  conversation_id: number | null
  data: MessageCreatedData
}
/**
 * The whole message, so that nobody has to fetch before showing it.
 */
export interface MessageCreatedData {
  id: number
  content: string
  message_type: 'TEXT'
  sender_type: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  sender_user_id: number | null
  sender_name: string | null
  direction: 'INBOUND' | 'OUTBOUND'
  created_at: string
  is_public: boolean
  parent_message_id: number | null
  client_message_id: string | null
  attachments: {
    [k: string]: unknown
  }[]
  reactions: {
    [k: string]: unknown
  }[]
  metadata: {
    [k: string]: unknown
  }
  row: RowChange
}
/**
 * The fields of the list row that an event changed; absent fields are as before.
 */
export interface RowChange {
  id: number
  status?: 'open' | 'closed'
  contact?: ContactSummary | null
  assignee?: Person | null
  team?: Person | null
  unread_count?: number
  last_message?: LastMessage | null
  last_activity_at?: string | null
}
/**
 * `name` is null while unknown; `verified` tells whether it is proven or only claimed.
 */
export interface ContactSummary {
  id: number
  name: string | null
  verified: boolean
  online: boolean
}
/**
 * An agent or a team by name.
 */
export interface Person {
  id: number
  name: string
}
/**
 * `preview` is the first 160 characters of the newest public message.
 */
export interface LastMessage {
  preview: string
  sender_type: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  created_at: string
}
/**
 * A visitor's first message opened a conversation; its `message.created` follows.
 *
 * Agents insert the row in the lists that it belongs to.
 */
export interface ConversationStartedFrame {
  type: 'conversation.started'
  seq: number
  prev: number
  event_id: string
  conversation_id: number | null
  data: ConversationStartedData
}
/**
 * The whole list row.
 */
export interface ConversationStartedData {
  row: ConversationRow
}
/**
 * A conversation as the agents' list shows it.
 */
export interface ConversationRow {
  id: number
  public_id: string
  status: 'open' | 'closed'
  contact: ContactSummary
  site_id: number
  assignee: Person | null
  team: Person | null
  unread_count: number
  last_message: LastMessage | null
  last_activity_at: string
  created_at: string
}
/**
 * The owner or the team changed, by claim or assignment.
 *
 * Visitors hear of it only where there is an agent to show.
 */
export interface ConversationAssignedFrame {
  type: 'conversation.assigned'
  seq: number
  prev: number
  event_id: string
  conversation_id: number | null
  data: ConversationAssignedData
}
/**
 * `agent` and `team` as they are now; null is nobody. `by` is the id of who did it.
 *
 * The whole row: the new owner's list may not have it yet.
 */
export interface ConversationAssignedData {
  row: ConversationRow
  agent: Person | null
  team: Person | null
  by: number
}
/**
 * The conversation was closed.
 */
export interface ConversationClosedFrame {
  type: 'conversation.closed'
  seq: number
  prev: number
  event_id: string
  conversation_id: number | null
  data: ConversationClosedData
}
/**
 * `by` is the agent's id; null when the visitor ended it.
 */
export interface ConversationClosedData {
  row: RowChange
  by: number | null
  reason: string | null
  closed_at: string
}
/**
 * A closed conversation is open again, by command or because an agent wrote to it.
 */
export interface ConversationReopenedFrame {
  type: 'conversation.reopened'
  seq: number
  prev: number
  event_id: string
  conversation_id: number | null
  data: ConversationReopenedData
}
/**
 * `by` is the agent's id. The whole row: a list of open conversations lacks it.
 */
export interface ConversationReopenedData {
  row: ConversationRow
  by: number
}
/**
 * A contact's name changed.
 *
 * Set `contact` in every row of the contact, closed ones too; its messages go by that name.
 */
export interface ContactUpdatedFrame {
  type: 'contact.updated'
  seq: number
  prev: number
  event_id: string
  conversation_id: number | null
  data: ContactUpdatedData
}
/**
 * `row` is the open conversation's; null where there is none.
 */
export interface ContactUpdatedData {
  contact: ContactSummary
  row: RowChange | null
}
/**
 * Somebody has read or received further.
 *
 * The marks are in every snapshot of a conversation, so nothing is logged: who resumes takes the
 * list and the open conversation anew.
 *
 * Agents draw read ticks and the unread badge; visitors draw read ticks when an agent has read.
 */
export interface SeenUpdatedFrame {
  type: 'seen.updated'
  event_id: string
  conversation_id: number | null
  data: SeenData
}
/**
 * `by` has read up to and including `read_up_to`; `marks` are all as they are now.
 */
export interface SeenData {
  by: 'agent' | 'visitor'
  agent_id: number | null
  read_up_to: number
  marks: Marks
  row: RowChange
}
/**
 * Up to which message id each side has read, and the visitor's device has received; 0: none.
 */
export interface Marks {
  agents_read_up_to: number
  visitor_read_up_to: number
  visitor_delivered_up_to: number
}
/**
 * Somebody types. It ends by `typing.stopped`, or 6 s after the last start.
 */
export interface TypingStartedFrame {
  type: 'typing.started'
  event_id: string
  conversation_id: number | null
  data: TypingData
}
/**
 * `is_note` marks the typing of a private note, which no visitor hears of.
 */
export interface TypingData {
  sender_type: 'CONTACT' | 'USER' | 'BOT' | 'SYSTEM'
  sender_id: number
  sender_name: string | null
  is_note: boolean
}
/**
 * Somebody stopped typing.
 */
export interface TypingStoppedFrame {
  type: 'typing.stopped'
  event_id: string
  conversation_id: number | null
  data: TypingData
}
/**
 * An agent opened, or left, a conversation.
 */
export interface ViewingChangedFrame {
  type: 'viewing.changed'
  event_id: string
  conversation_id: number | null
  data: ViewingData
}
/**
 * `viewing` false: the agent looks elsewhere now.
 */
export interface ViewingData {
  agent_id: number
  agent_name: string
  viewing: boolean
}
/**
 * An agent's availability changed.
 */
export interface PresenceChangedFrame {
  type: 'presence.changed'
  event_id: string
  conversation_id: number | null
  data: PresenceData
}
/**
 * `status` is `offline` when the agent's last connection is gone for good.
 */
export interface PresenceData {
  agent_id: number
  status: 'available' | 'busy' | 'away' | 'offline'
}
/**
 * A contact came online: set `contact.online` in its rows.
 */
export interface VisitorConnectedFrame {
  type: 'visitor.connected'
  event_id: string
  conversation_id: number | null
  data: VisitorPresenceData
}
/**
 * `at` is when the connection was made or last known.
 */
export interface VisitorPresenceData {
  contact_id: number
  at: string
}
/**
 * A contact has had no connection for 120 s: a reload or a second tab is no such event.
 */
export interface VisitorDisconnectedFrame {
  type: 'visitor.disconnected'
  event_id: string
  conversation_id: number | null
  data: VisitorPresenceData
}
/**
 * Every few seconds, and where frames were skipped that the agent may not see.
 *
 * Take `seq` as the new position; a `prev` beyond the old one means that frames were missed.
 */
export interface HeadFrame {
  type: 'head'
  seq: number
  prev: number
}
/**
 * The log cannot tell what the client missed: fetch all snapshots anew.
 *
 * The socket is live from `head` on, so a snapshot fetched after this frame leaves no gap.
 */
export interface ResyncFrame {
  type: 'resync'
  epoch: string
  head: number
}
/**
 * The counts of the socket's live list (`list.subscribe`) are no longer what it was told.
 */
export interface CountsChangedFrame {
  type: 'counts.changed'
  event_id: string
  conversation_id: null
  data: Counts
}
/**
 * How many open conversations the agent sees in each view.
 */
export interface Counts {
  mine: number
  unassigned: number
  all: number
}
