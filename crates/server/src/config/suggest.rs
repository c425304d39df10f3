//! "Did you mean …?": the known name that is nearest to an unknown one.
//!
//! Small inputs only (a name of a setting against some dozens of others), so the plain table is
//! enough.

/// The nearest of the known names, if one is near enough to be meant.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let unknown: String = unknown
        .chars()
        .take(80)
        .flat_map(char::to_lowercase)
        .collect();
    known
        .map(|name| (cost(&unknown, &name.to_lowercase()), name))
        .filter(|(cost, name)| *cost <= 1 + name.len() / 4)
        .min_by_key(|(cost, _)| *cost)
        .map(|(_, name)| name)
}

/// How far two names are apart. The right key in the wrong section is nearly right.
fn cost(unknown: &str, known: &str) -> usize {
    let whole = distance(unknown, known);
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    if last(unknown) == last(known) {
        whole.min(1)
    } else {
        whole
    }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (row, &letter) in left.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, &other) in right.iter().enumerate() {
            let replaced = rows[row][column] + usize::from(letter != other);
            let mut best = replaced
                .min(rows[row][column + 1] + 1)
                .min(next[column] + 1);
            if row > 0 && column > 0 && letter == right[column - 1] && left[row - 1] == other {
                best = best.min(rows[row - 1][column - 1] + 1);
            }
            next.push(best);
        }
        rows.push(next);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meant_name_is_found_and_nothing_is_invented() {
        let known = [
            "listen",
            "auth.registration",
            "log.level",
            "limits.rate_burst",
        ];
        for (unknown, expected) in [
            ("lisen", Some("listen")),
            ("lsiten", Some("listen")),
            ("Listen", Some("listen")),
            ("registration", Some("auth.registration")),
            ("limits.level", Some("log.level")),
            ("auth.registratoin", Some("auth.registration")),
            ("database_url", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, known.into_iter()), expected, "{unknown}");
        }
    }
}
