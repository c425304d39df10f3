//! Just enough reading of Rust and TypeScript to tell code from comments, strings and tests.
//!
//! Not a parser: it blanks what is not code, keeps every line and column, and finds matching
//! braces. That is exact for formatted code, and formatted is what the other steps enforce.

/// Which rules for comments and literals hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    TypeScript,
}

impl Language {
    /// By file name; None for what the code rules do not look at.
    pub(crate) fn of(extension: &str) -> Option<Self> {
        match extension {
            "rs" => Some(Self::Rust),
            "ts" | "tsx" | "js" | "mjs" => Some(Self::TypeScript),
            _ => None,
        }
    }
}

/// A source file with everything but code blanked.
pub(crate) struct Source {
    /// As long as the file, line for line.
    code: Vec<char>,
    /// For each line whether it lies inside an item that is compiled for tests only.
    in_tests: Vec<bool>,
}

/// A function, by name and the lines it spans, both from 1 and inclusive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) first_line: usize,
    pub(crate) last_line: usize,
}

impl Source {
    pub(crate) fn new(text: &str, language: Language) -> Self {
        let code = blank(text, language);
        let mut source = Self {
            code,
            in_tests: vec![false; text.lines().count()],
        };
        if language == Language::Rust {
            source.mark_tests();
        }
        source
    }

    /// The lines of code, numbered from 1, and whether each is compiled for tests only.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, String, bool)> {
        let lines = self.code.split(|character| *character == '\n');
        lines.enumerate().map(|(index, line)| {
            let in_tests = self.in_tests.get(index).copied().unwrap_or(false);
            (index + 1, line.iter().collect(), in_tests)
        })
    }

    /// How many lines are not compiled for tests only.
    pub(crate) fn lines_outside_tests(&self) -> usize {
        self.in_tests.iter().filter(|in_tests| !**in_tests).count()
    }

    /// Every Rust function with a body that is not compiled for tests only.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        for start in self.words("fn") {
            let name: String = self.code[start + 2..]
                .iter()
                .skip_while(|character| character.is_whitespace())
                .take_while(|character| is_word(**character))
                .collect();
            let Some(end) = self.end_of_item(start) else {
                continue;
            };
            let (first_line, last_line) = (self.line_of(start), self.line_of(end));
            let has_body = self.code[end] == '}';
            if has_body && !name.is_empty() && !self.in_tests[first_line - 1] {
                functions.push(Function {
                    name,
                    first_line,
                    last_line,
                });
            }
        }
        functions
    }

    /// Marks the items behind `#[cfg(test)]` and `#[cfg(all(test, …))]`.
    fn mark_tests(&mut self) {
        for start in self.words("cfg") {
            let Some(end) = self.code[start..]
                .iter()
                .position(|character| *character == ']')
            else {
                continue;
            };
            let condition: String = self.code[start..start + end].iter().collect();
            let only_tests = ["cfg(test)", "cfg(all(test,"]
                .iter()
                .any(|c| condition.starts_with(c));
            if !only_tests {
                continue;
            }
            if let Some(last) = self.end_of_item(start + end) {
                let lines = self.line_of(start) - 1..self.line_of(last);
                self.in_tests[lines].fill(true);
            }
        }
    }

    /// The index of the `;` or `}` that ends the item in which `start` lies.
    fn end_of_item(&self, start: usize) -> Option<usize> {
        let mut brackets = 0_i32;
        let mut braces = 0_i32;
        for (offset, character) in self.code[start..].iter().enumerate() {
            match character {
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                '{' => braces += 1,
                '}' => {
                    braces -= 1;
                    if braces <= 0 {
                        return Some(start + offset);
                    }
                }
                ';' if braces == 0 && brackets <= 0 => return Some(start + offset),
                _ => {}
            }
        }
        None
    }

    /// Where a word stands in the code, as a whole word.
    fn words(&self, word: &str) -> Vec<usize> {
        let word: Vec<char> = word.chars().collect();
        let starts = self.code.windows(word.len()).enumerate();
        starts
            .filter(|(start, window)| {
                *window == word.as_slice()
                    && (*start == 0 || !is_word(self.code[start - 1]))
                    && !self
                        .code
                        .get(start + word.len())
                        .is_some_and(|next| is_word(*next))
            })
            .map(|(start, _)| start)
            .collect()
    }

    fn line_of(&self, index: usize) -> usize {
        self.code[..index]
            .iter()
            .filter(|character| **character == '\n')
            .count()
            + 1
    }
}

/// Whether `pattern` stands in `line` and is not part of a longer word.
pub(crate) fn mentions(line: &str, pattern: &str) -> bool {
    line.match_indices(pattern).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + pattern.len()..].chars().next();
        let continues_before = pattern.starts_with(is_word) && before.is_some_and(is_word);
        let continues_after = pattern.ends_with(is_word) && after.is_some_and(is_word);
        !continues_before && !continues_after
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Blanks comments and literals, keeping every line break.
fn blank(text: &str, language: Language) -> Vec<char> {
    let input: Vec<char> = text.chars().collect();
    let mut code = Vec::with_capacity(input.len());
    while let Some(character) = input.get(code.len()) {
        let start = code.len();
        let length = match language {
            Language::Rust => rust_literal(&input, start),
            Language::TypeScript => script_literal(&input, start),
        };
        if length == 0 {
            code.push(*character);
        }
        let blanked = input[start..input.len().min(start + length)].iter();
        code.extend(blanked.map(|character| if *character == '\n' { '\n' } else { ' ' }));
    }
    code
}

/// The length of the Rust comment or literal that begins at `start`; 0 when none does.
fn rust_literal(input: &[char], start: usize) -> usize {
    let rest = &input[start..];
    match rest {
        ['/', '/', ..] => until_line_end(rest),
        ['/', '*', ..] => block_comment(rest, true),
        ['"', ..] => quoted(rest, '"', true),
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted(rest, '\'', false),
        ['r', '"' | '#', ..] if !after_word(input, start) => raw_string(rest),
        _ => 0,
    }
}

/// The length of the TypeScript comment or literal that begins at `start`; 0 when none does.
fn script_literal(input: &[char], start: usize) -> usize {
    let rest = &input[start..];
    match rest {
        ['/', '/', ..] => until_line_end(rest),
        ['/', '*', ..] => block_comment(rest, false),
        ['/', ..] if regex_may_start(&input[..start]) => quoted(rest, '/', false),
        // An apostrophe in JSX text looks like a string; it must not swallow the lines below.
        [quote @ ('"' | '\''), ..] => quoted(rest, *quote, false),
        ['`', ..] => quoted(rest, '`', true),
        _ => 0,
    }
}

fn after_word(input: &[char], start: usize) -> bool {
    // `br"…"` and `cr"…"` are raw strings as well.
    let before = if start > 0 && matches!(input[start - 1], 'b' | 'c') {
        start - 1
    } else {
        start
    };
    before > 0 && is_word(input[before - 1])
}

fn until_line_end(rest: &[char]) -> usize {
    rest.iter()
        .position(|character| *character == '\n')
        .unwrap_or(rest.len())
}

fn block_comment(rest: &[char], nests: bool) -> usize {
    let mut depth = 0;
    let mut index = 0;
    while index < rest.len() {
        match rest[index..] {
            ['/', '*', ..] if nests || depth == 0 => {
                depth += 1;
                index += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                index += 2;
            }
            _ => index += 1,
        }
        if depth == 0 {
            return index;
        }
    }
    rest.len()
}

/// A literal closed by `quote`; one that must not span lines ends with its line at the latest.
fn quoted(rest: &[char], quote: char, spans_lines: bool) -> usize {
    let mut index = 1;
    while let Some(character) = rest.get(index) {
        match character {
            '\\' => index += 1,
            '\n' if !spans_lines => return index,
            character if *character == quote => return index + 1,
            _ => {}
        }
        index += 1;
    }
    rest.len()
}

/// `r"…"` or `r#"…"#`; 0 for a raw identifier such as `r#type`.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..]
        .iter()
        .take_while(|character| **character == '#')
        .count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let mut close = vec!['"'];
    close.extend(std::iter::repeat_n('#', hashes));
    let body = &rest[2 + hashes..];
    let end = body
        .windows(close.len())
        .position(|window| window == close.as_slice());
    end.map_or(rest.len(), |end| 2 + hashes + end + close.len())
}

/// After a value a slash divides; after an operator or an opening bracket it begins a pattern.
fn regex_may_start(before: &[char]) -> bool {
    let last = before
        .iter()
        .rev()
        .find(|character| !matches!(character, ' ' | '\n'));
    last.is_none_or(|character| "(,=:[!&|?{};".contains(*character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: Language, text: &str, expected: &str) {
        assert_eq!(blank(text, language).iter().collect::<String>(), expected);
    }

    #[test]
    fn rust_comments_and_literals_are_blanked() {
        check(Language::Rust, "a // b\nc", "a     \nc");
        check(
            Language::Rust,
            "a /* b /* c */ d */ e",
            "a                   e",
        );
        check(Language::Rust, r#"a("b\"c") d"#, "a(      ) d");
        check(Language::Rust, "a('b', '\\'', 'x)", "a(   ,     , 'x)");
        check(
            Language::Rust,
            "fn f<'a>(x: &'a str)",
            "fn f<'a>(x: &'a str)",
        );
        check(Language::Rust, "r#\"a\"b\"# c", "         c");
        check(Language::Rust, "r#type", "r#type");
    }

    #[test]
    fn script_comments_and_literals_are_blanked() {
        check(Language::TypeScript, "a = 'b' + `c\nd`", "a =     +   \n  ");
        check(Language::TypeScript, "x = /[`\"]/ ; y", "x =        ; y");
        check(Language::TypeScript, "a / b / c", "a / b / c");
        check(
            Language::TypeScript,
            "<p>Don't</p>\nlet",
            "<p>Don      \nlet",
        );
    }

    #[test]
    fn functions_are_measured_from_signature_to_closing_brace() {
        let text = "fn one(\n  a: [u8; 2],\n) {\n  if a { b }\n}\nfn declared();\n\
                    #[cfg(test)]\nmod tests {\n  fn inside() {}\n}\n";
        let functions = Source::new(text, Language::Rust).functions();
        assert_eq!(
            functions,
            [Function {
                name: "one".to_owned(),
                first_line: 1,
                last_line: 5
            }]
        );
    }

    #[test]
    fn only_items_compiled_for_tests_alone_count_as_tests() {
        let text = "#[cfg(any(test, unix))]\nfn a() {}\n#[cfg(test)]\nuse x;\nfn b() {}\n";
        let marks: Vec<bool> = Source::new(text, Language::Rust)
            .lines()
            .map(|(_, _, in_tests)| in_tests)
            .collect();
        assert_eq!(marks, [false, false, true, true, false, false]);
    }

    #[test]
    fn a_pattern_is_found_as_a_whole_word() {
        assert!(mentions("use redis::Client;", "redis"));
        assert!(!mentions("let predis = 1;", "redis"));
        assert!(!mentions("redis_url", "redis"));
        assert!(mentions("x.await?", ".await"));
    }
}
