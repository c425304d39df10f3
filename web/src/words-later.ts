// The words of what comes later than the first picture: dialogs, menus, people (see words.ts).

export const said = {
  wholeRoom: 'everybody here',
  suggestions: 'People to mention',
  offered: (n: number) => (n === 1 ? '1 name to choose' : `${n} names to choose from`),
  actionsTitle: 'Message',
  reply: 'Reply',
  edit: 'Edit',
  pin: 'Pin',
  unpin: 'Unpin',
  reactWith: (emoji: string) => `React with ${emoji}`,
  deleteForMe: 'Delete for me',
  removeQuestion: 'Delete this message?',
  removeHelp: 'Remove it for everyone? It leaves a line saying so.',
  save: 'Save',
  whoComesIn: 'Who can come in',
  everyoneAt: (place: string) => `Everyone at ${place}`,
  everyoneHelp: 'It stands in the directory. People join by themselves.',
  invitedOnly: 'Only who is invited',
  invitedHelp: 'Nobody else sees that it exists.',
  invite: 'Invite',
  canWait: 'can wait',
  addName: 'Add a name',
  nobodyCalled: (name: string) => `Nobody here is called ${name}.`,
  createRoom: 'Create room',
  close: 'Close',
  openIt: 'Open',
  join: 'Join',
  writeToWhom: 'Write to',
  writeToHelp: 'The whole name, as it is written at the sign-in.',
  startWriting: 'Start writing',
  directoryEmpty: 'No public room yet. Start the first one.',
  add: 'Add',
  takeOut: (name: string) => `Take ${name} out of the list`,
  leaveQuestion: (room: string) => `Leave ${room}?`,
  leaveHelp: 'You stop getting its messages. What you wrote stays.',
  leaveGroupHelp: 'You can come back when somebody adds you. What you wrote stays.',
  leave: 'Leave',
  actError: (code: string): string => {
    switch (code) {
      case 'disconnected':
      case 'timeout':
      case 'offline':
      case 'unavailable':
      case 'going_away':
        return 'This needs the line. Try again when you are connected.';
      case 'rate_limited':
        return 'Too many at once. Wait a moment.';
      case 'forbidden':
        return 'You may not do this here.';
      case 'too_long':
        return 'This name is too long.';
      case 'blank':
        return 'A room needs a name.';
      case 'room_full':
        return 'This room is full.';
      case 'self_direct':
        return 'That is you. Choose somebody else.';
      case 'already_member':
        return 'They are in this room already.';
      case 'banned':
        return 'They were sent away for good. Let them back in first.';
      case 'last_owner':
        return 'A room keeps an owner. Make somebody else one first.';
      case 'muted':
        return 'A moderator took your voice here.';
      case 'bad_field':
        return 'This cannot be used here.';
      case 'no_picture':
        return 'This is no picture. Choose a PNG, a JPEG or a WebP.';
      default:
        return 'That did not work. Try again.';
    }
  },

  whoHasRead: 'Who has read it',
  infoRead: 'Read by',
  infoDelivered: 'Delivered to',
  infoWaiting: 'Not there yet',
  ofAll: (n: number, of: number) => `${n} of ${of}`,
  infoHidden: 'You do not tell others what you have read, so you do not see it of them. You can change that under your privacy.',
  infoNobody: 'Nobody else here tells what they have read.',
  infoError: (code: string): string =>
    code === 'too_many' ? 'In rooms as large as this one, nobody is told who has read what.' : said.actError(code),
  privacy: 'You and your privacy',
  shownName: 'Your name for others',
  shownNameHelp: (name: string) => `Left empty, it is “${name}”, by which people find you and you sign in.`,
  saveName: 'Save',
  pictureChoose: 'Choose a picture',
  pictureRemove: 'Remove it',
  privacyHelp: 'A fair trade: what you hide, you do not see of others.',
  privacySwitches: {
    hide_online: { title: 'Show when I am here', help: ['The green dot, and when you type, in rooms you share.', 'Off: you do not see who is here or types either.'] },
    hide_last_seen: { title: 'Show when I was last here', help: ['To the minute, to people you share a room with.', 'Off: you do not see it of others either.'] },
    hide_receipts: { title: 'Tell others what I have read', help: ['They see what has reached you and what you have read.', 'Off: others see “sent” at most, and so do you.'] },
  },
  takeHelp: 'Everything that is kept of you here, and everything you wrote, in one file. What others wrote is not in it.',
  take: 'Download my data',
  taking: 'Downloading…',
  goHelp: 'You can go for good. Nobody can bring the account back then.',
  goFurther: 'Delete my account…',
  goQuestion: 'Delete your account?',
  goPlainly: [
    'You are signed out everywhere, at once and for good. It cannot be taken back.',
    'Your name, pictures, password, settings and whom you blocked go. Nobody else can take your name.',
    'You leave every room. A room that was yours goes to whoever has looked after it longest.',
    'People you wrote with alone can still read that, and cannot answer.',
    'That you were here stays: who came, who left, and when.',
  ],
  yourMessages: 'Your messages',
  wordsStay: 'They stay',
  wordsStayHelp: 'Others can still read them. They are by “Deleted account”.',
  wordsGo: 'Remove them for everyone',
  wordsGoHelp: 'In every room. Each leaves a line saying so. Your reactions go, too.',
  go: 'Delete my account',
  mineError: (code: string): string => {
    switch (code) {
      case 'bad_credentials':
        return 'That password does not fit your name.';
      case 'bad_field':
        return 'This needs your password.';
      case 'forbidden':
        return 'You are the only administrator here. Somebody has to look after the place.';
      case 'busy':
        return 'A download is under way already.';
      case 'rate_limited':
        return 'Too often for now. Wait a few minutes.';
      case 'cut_off':
        return 'The download was cut off. Try again.';
      default:
        return said.actError(code);
    }
  },
  hereGroup: 'Here now',
  awayGroup: 'Away',
  roleNotGiven: (name: string, why: string) => `${name}: ${why}`,

  personMenu: (name: string) => `What you can do about ${name}`,
  makeRole: { reader: 'Let only read', member: 'Make a member', admin: 'Make a moderator', owner: 'Make an owner' },
  takeVoice: 'Take the voice',
  giveVoice: 'Give the voice back',
  voiceless: 'Has no voice',
  removeFromRoom: 'Remove',
  banFromRoom: 'Send away for good',
  removeWho: (name: string) => `Remove ${name}?`,
  banWho: (name: string) => `Send ${name} away for good?`,
  removePersonHelp: (name: string) => `${name} leaves at once and may come back.`,
  banHelp: (name: string) => `${name} leaves at once and cannot come back.`,
  topic: 'Topic',
  role: { reader: 'Reads', member: '', admin: 'Moderator', owner: 'Owner' },

  signOutQuestion: 'Sign out with words unsent?',
  signOutHelp: (waiting: number) =>
    `${waiting === 1 ? '1 message waits' : `${waiting} messages wait`} on this device. Signing out deletes what has not gone out.`,
} as const;
