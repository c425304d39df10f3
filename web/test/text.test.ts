import { expect, test } from 'vitest';

import { pieces } from '../src/timeline/text';

function check(text: string, links: string[]) {
  const found = pieces(text);
  expect(found.map((piece) => piece.text).join('')).toBe(text);
  expect(found.filter((piece) => piece.href).map((piece) => piece.href)).toEqual(links);
}

test('web addresses become links, without the end of the sentence', () => {
  check('See https://saltmarsh.example/winter.', ['https://saltmarsh.example/winter']);
  check('(http://a.example/x_(y)) and https://b.example?', ['http://a.example/x_(y)', 'https://b.example']);
});

test('everything else stays words', () => {
  check('javascript:alert(1)', []);
  check('data:text/html,<script>alert(1)</script>', []);
  check('<a href="https://a.example">x</a>', ['https://a.example']);
  check('http://', []);
  check('', []);
});

test('no byte is changed', () => {
  for (const text of ['\u202ehttps://a.example\u202c', ' a\r\n\tb  ', 'Z͑ͫ̓ͪ̂ͫ̽͏̴̙A', '👩‍👩‍👧 https://a.example/👩', '\u0001\u200b\ufeff', 'https://a.example/\u2066x']) {
    expect(pieces(text).map((piece) => piece.text).join('')).toBe(text);
  }
});

test('a message has at most fifty links', () => {
  expect(pieces('https://a.example '.repeat(80)).filter((piece) => piece.href)).toHaveLength(50);
});
