// Every word that the page says, in one place (ui.md, section 6).
//
// Plain, short, second person; what happened, what happens to the words, what one can do.
// Another language is another object of the same shape.

/** `1 message`, `2 messages`: the number is always written. */
function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** "2 people", "1 person". */
const people = (n: number): string => count(n, 'person', 'people');
const messages = (n: number): string => count(n, 'message', 'messages');

export const t = {
  product: 'Chinwag',
  motto: ['Said once,', 'kept for good.'],

  // The line
  connected: 'Connected',
  connecting: 'Connecting…',
  reconnectingIn: (seconds: number) => `Reconnecting in ${seconds} s`,
  tryNow: 'Try now',
  tryAgain: 'Try again',
  offline: 'Offline',
  notConnected: 'Not connected',
  keepWriting: 'Keep writing. Your messages go out when the line is back.',
  youAreOffline: (waiting: number) =>
    waiting === 0
      ? 'You are offline. What you write goes out by itself.'
      : waiting === 1
        ? 'You are offline. 1 message waits on this device and goes out by itself.'
        : `You are offline. ${waiting} messages wait on this device and go out by themselves.`,
  couldNotReach: (place: string) => `We could not reach ${place}. What you wrote is kept here.`,
  back: (sent: number) =>
    sent === 0 ? 'Back.' : `Back. ${messages(sent)} went out.`,
  newVersion: 'A new version is ready. Your drafts stay.',
  reload: 'Reload',
  keepsNothing:
    'This browser keeps nothing here. Messages you cannot send now are lost when you close it.',

  // Ticks
  waitingTick: 'Waiting on this device',
  sendingTick: 'Sending',
  sentTick: 'Sent',
  deliveredTick: 'Delivered',
  readTick: 'Read',
  failedTick: 'Not sent',
  deliveredTo: (n: number, of: number) => `Delivered to ${n} of ${of}`,
  deliveredToAll: 'Delivered to everyone',
  readBy: (n: number, of: number) => `Read by ${n} of ${of}`,
  readByAll: 'Read by everyone',

  // Why a message was refused
  refusal: (code: string | undefined): string => {
    switch (code) {
      case 'forbidden':
        return 'You may read here, not write.';
      case 'not_found':
      case 'not_member':
        return 'You are no longer in this room.';
      case 'muted':
        return 'A moderator took your voice here. You can read.';
      case 'too_long':
        return 'This is too long.';
      case 'blank':
        return 'There is nothing to see in it.';
      default:
        return 'Not sent.';
    }
  },
  deleteIt: 'Delete',
  refusedChange: (what: string, code: string | undefined): string => {
    const not = { edit: 'Not changed', redact: 'Not deleted', pin: 'Not pinned' }[what] ?? 'Not added';
    switch (code) {
      case 'gone':
        return `${not}: the message was deleted.`;
      case 'forbidden':
        return `${not}: you may not do this here.`;
      case 'muted':
        return `${not}: a moderator took your voice here.`;
      case 'not_found':
      case 'not_member':
        return `${not}: you are no longer in this room.`;
      case 'too_many':
        return `${not}: there are too many already.`;
      default:
        return `${not}.`;
    }
  },
  dismiss: 'Dismiss',

  // Timeline
  messagesIn: (room: string) => `Messages in ${room}`,
  newMessages: (n: number) => (n === 1 ? '1 new message' : `${n} new messages`),
  newBelow: (n: number) => `${n} new below`,
  toNewest: 'To the newest',
  edited: 'edited',
  removedMessage: 'This message was removed',
  sealedMessage: 'This message is encrypted. This app cannot read it yet.',
  unreadable: 'This message cannot be shown.',
  you: 'You',
  founded: 'made this room',
  came: 'came in',
  left: 'left',
  added: 'added',
  askedIn: 'invited',
  removedFrom: 'removed',
  bannedFrom: 'sent away for good:',
  unbanned: 'lets back in:',
  renamed: (name: string) => `named this room “${name}”`,
  retopiced: (topic: string) => (topic ? `set the topic: ${topic}` : 'took the topic away'),
  repictured: (is: boolean) => (is ? 'gave this room a picture' : 'took the picture away'),
  settingsJoin: ' and ',
  tookVoice: 'took the voice of',
  madeRole: 'made',
  roleAs: { reader: 'a reader', member: 'a member', admin: 'a moderator', owner: 'an owner' },
  older: 'Loading older messages',
  beginning: 'This is the beginning.',
  deletedMessage: 'Deleted message',
  deletedAccount: 'Deleted account',
  mine: 'Your data',
  noSuchMessage: 'Message not available',
  answerTo: 'In answer to',
  actions: (who: string) => `Actions for the message of ${who}`,
  pinned: 'Pinned',
  pinnedWords: (text: string) => `Pinned: ${text}`,
  reactions: 'Reactions',
  reacted: (emoji: string, n: number, who: string) => `${emoji} ${n}: ${who}`,
  waitingChange: 'A change waits on this device',
  callsYou: 'You are meant',
  announce: (who: string, text: string) => `${who}: ${text}`,

  // Rooms
  rooms: 'Rooms',
  conversations: 'Conversations',
  newRoomOrMessage: 'New room or message',
  newRoom: 'New room',
  newMessage: 'New message',
  joinRoom: 'Join a room',
  unread: (n: number) => (n > 999 ? '999+' : String(n)),
  unreadSpoken: (n: number) => (n > 999 ? 'more than 999 new' : `${n} new`),
  called: (n: number) => `@ ${n}`,
  calledSpoken: (n: number) => (n === 1 ? 'one calls on you' : `${n} call on you`),
  draft: 'Draft:',
  noRooms: 'No rooms yet',
  noRoomsHelp: 'Start one, look into the directory, or write to somebody.',
  chooseRoom: 'Pick up where you left off',
  chooseRoomHelp: 'Choose a room from the list, or start a new one.',
  people,
  unknownPerson: 'Somebody',
  here: 'Here',
  isHere: 'here now',
  hereNow: (n: number) => `${n} here`,
  away: 'Away',
  seen: (when: string) => `Seen ${when}`,
  typing: (names: readonly string[], more: number): { text: string; name?: boolean }[] => {
    const all = [...names.map((text) => ({ text, name: true })), ...(more > 0 ? [{ text: names.length > 0 ? `${more} more` : people(more) }] : [])];
    const said = all.flatMap((part, index) => [...(index === 0 ? [] : [{ text: index === all.length - 1 ? ' and ' : ', ' }]), part]);
    return [...said, { text: names.length + more === 1 ? ' is typing…' : ' are typing…' }];
  },
  typingRow: 'typing…',
  peopleTitle: 'People',
  publicRoom: (n: number) => `Public, ${people(n)}`,
  directRoom: 'Only the two of you',
  backToRooms: 'Back to rooms',
  more: 'More',

  // An empty room
  freshRoom: 'A fresh room',
  freshRoomHelp: 'Nobody has said anything yet. Invite the people it is for, or say the first word.',
  freshDirectHelp: (name: string) => `Nothing has been said yet. Only you and ${name} can read here.`,
  invitePeople: 'Invite people',

  // Composer
  writeTo: (room: string) => `Write to ${room}`,
  firstWord: 'Say the first word',
  send: 'Send',
  answering: (who: string) => `Reply to ${who}`,
  editing: 'Edit your message',
  stopIt: 'Leave it',
  tooLong: (n: number) => `${count(n, 'character', 'characters')} too many.`,
  hintEnter: 'Enter sends',
  hintShift: 'Shift Enter starts a new line',

  // Dialogs
  name: 'Name',
  cancel: 'Cancel',
  youAreIn: 'You are in',
  addPeople: 'Add people',
  leaveRoom: 'Leave room',
  // People
  letBack: 'Let back in',
  editRoom: 'Name and topic',
  // Oneself
  yourMenu: 'You and this device',
  privacy: 'You and your privacy',
  appearance: 'Appearance',
  theme: { system: 'System', light: 'Light', dark: 'Dark' },
  signOut: 'Sign out',
  stay: 'Stay',
  signOutNeedsLine: 'Signing out needs the line. Try again when you are connected.',

  // Entry
  welcome: 'Welcome back',
  welcomeHelp: 'Sign in to go on.',
  come: 'Come in',
  comeHelp: 'A name and a password, nothing else.',
  invited: 'You are invited',
  setup: 'It runs. Now make it yours.',
  setupHelp: 'This happens once. You become the administrator.',
  yourName: 'Your name',
  password: 'Password',
  showPassword: 'Show password',
  passwordHelp: 'At least 8 characters. A short sentence is good and easy to keep in mind.',
  signIn: 'Sign in',
  makeAccount: 'Make an account',
  openPlace: (place: string) => `Open ${place}`,
  newHere: 'New here?',
  haveAccount: 'You have an account?',
  byInvite: 'New here? Ask for an invitation: its link opens the door.',
  closed: 'New here? This place takes no new accounts.',
  signedOut:
    'You were signed out on this device. Sign in to go on; your drafts are here.',
  entryError: (code: string, retrySeconds: number | undefined, place: string): string => {
    switch (code) {
      case 'bad_credentials':
        return 'That password does not fit this name.';
      case 'name_taken':
        return 'Somebody has this name already. Choose another one.';
      case 'weak_password':
        return 'A password has 8 to 256 characters.';
      case 'too_long':
        return 'This is too long.';
      case 'blank':
      case 'bad_field':
        return 'This cannot be used here.';
      case 'registration_closed':
        return 'This place takes no new accounts.';
      case 'invite_needed':
        return 'This invitation is not good any more. Ask for a new one.';
      case 'bad_token':
      case 'token_expired':
      case 'not_found':
        return 'This link has been used or has ended. The server prints a new one when it starts.';
      case 'busy':
      case 'rate_limited':
        return `Too many at once. Wait ${retrySeconds ?? 5} s.`;
      case 'offline':
        return `We could not reach ${place}. Try again when the line is back.`;
      default:
        return 'That did not work. Try again.';
    }
  },
} as const;
