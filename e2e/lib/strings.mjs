// What people write: the worst strings known, and ten scripts of our own.
import { createRequire } from 'node:module';

/** All 461 of npm's big-list-of-naughty-strings. @type {string[]} */
export const naughty = createRequire(import.meta.url)('big-list-of-naughty-strings');

/** A sentence in each of ten scripts, and what else keyboards can do. */
export const scripts = [
  'Der Zug nach Łódź fährt über Malmö: “höchstens” zwölf Minuten…',
  'Το τρένο φεύγει στις οκτώ, μην αργήσεις.',
  'Поезд уходит в восемь, не опоздай, пожалуйста.',
  'القطار يغادر الساعة ٨، لا تتأخر من فضلك (platform 4).',
  'הרכבת יוצאת בשמונה, אל תאחר — platform 4.',
  'ट्रेन आठ बजे छूटती है, देर मत करना।',
  'รถไฟออกแปดโมง อย่ามาสายนะ',
  '火车八点开，别迟到了。',
  '電車は八時に出ます。遅れないでね。ｶﾞｷﾞｸﾞ',
  '기차는 여덟 시에 떠나요. 늦지 마세요.',
  '👩‍👩‍👧‍👦 🏳️‍🌈 👨🏽‍🚀 🇺🇳 1️⃣ e\u0301 a\u0308\u0323 ﬃ \u{1F9D1}\u200D\u{1F4BB}',
  '  spaces at both ends, and a tab\there  ',
  'first line\nsecond line\n\n\tfourth, with a tab',
  // A text field knows one kind of line end: the browser makes it so before any script sees it.
  'ended\r\nby\rall three\nof them',
];

/** What an HTML text field makes of a text put into it: its line ends become line feeds. @param {string} text */
export const typed = (text) => text.replace(/\r\n?/g, '\n');

/** What nobody can see, a chat refuses (docs/protocol.md, `blank`). @param {string} text */
export const isBlank = (text) => text.trim() === '';
