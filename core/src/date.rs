//! Parses dates like JavaScript's `new Date(text)`, because tools write more formats than RFC 3339.

use std::iter::Peekable;
use std::str::Chars;

const DAY: i64 = 86_400_000;

/// Milliseconds since 1970. `timezone_offset` is the number of minutes that local time is behind UTC, for dates without a
/// time zone.
pub(crate) fn parse(text: &str, timezone_offset: i32) -> Option<i64> {
    let text = text.trim();
    let local = i64::from(timezone_offset);
    iso(text, local).or_else(|| informal(text, local))
}

/// ISO 8601. A date without a time is in UTC, and a date with a time but no time zone is in local time.
fn iso(text: &str, local: i64) -> Option<i64> {
    let mut rest = text;
    let year = match rest.strip_prefix(['+', '-']) {
        Some(digits) => {
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            rest = digits;
            sign * take_digits(&mut rest, 6)?
        }
        None => take_digits(&mut rest, 4)?,
    };
    let (mut month, mut day) = (1, 1);
    if take(&mut rest, '-') {
        month = take_digits(&mut rest, 2)?;
        if take(&mut rest, '-') {
            day = take_digits(&mut rest, 2)?;
        }
    }
    if rest.is_empty() {
        return at(year, month, day, [0; 4], 0);
    }
    if !take(&mut rest, 'T') && !take(&mut rest, 't') {
        return None;
    }
    let mut time = [take_digits(&mut rest, 2)?, 0, 0, 0];
    take(&mut rest, ':').then_some(())?;
    time[1] = take_digits(&mut rest, 2)?;
    if take(&mut rest, ':') {
        time[2] = take_digits(&mut rest, 2)?;
        if take(&mut rest, '.') {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            time[3] = milliseconds(&rest[..end])?;
            rest = &rest[end..];
        }
    }
    let behind = match rest.chars().next() {
        None => local,
        Some('Z' | 'z') if rest.len() == 1 => 0,
        Some(sign @ ('+' | '-')) => {
            rest = &rest[1..];
            let hours = take_digits(&mut rest, 2)?;
            take(&mut rest, ':');
            let minutes = take_digits(&mut rest, 2)?;
            let ahead = hours * 60 + minutes;
            rest.is_empty().then_some(if sign == '+' { -ahead } else { ahead })?
        }
        Some(_) => return None,
    };
    at(year, month, day, time, behind)
}

/// Other formats that browsers accept: `Thu, 26 Nov 2026 10:00:00 GMT`, `2026-11-26 10:00:00 +0100`,
/// `11/26/2026 10:00 PM`, `Thu Nov 26 2026 10:00:00 GMT+0100 (CET)`.
fn informal(text: &str, local: i64) -> Option<i64> {
    let (mut numbers, mut time, mut fraction) = (Vec::new(), Vec::new(), 0);
    let (mut named_month, mut half, mut behind) = (None, None, None);
    let mut is_timing = false;
    let mut chars = text.chars().peekable();
    while let Some(&next) = chars.peek() {
        if next.is_ascii_digit() {
            let digits = take_while(&mut chars, |c| c.is_ascii_digit());
            let number: i64 = digits.parse().ok()?;
            let is_last_of_time = is_timing;
            is_timing = false;
            match chars.peek() {
                Some(':') if time.len() < 2 => {
                    chars.next();
                    time.push(number);
                    is_timing = true;
                }
                Some('.') if is_last_of_time && time.len() == 2 => {
                    chars.next();
                    time.push(number);
                    fraction = milliseconds(&take_while(&mut chars, |c| c.is_ascii_digit()))?;
                }
                _ if is_last_of_time => time.push(number),
                _ => {
                    numbers.push(number);
                    chars.next_if_eq(&'-');
                }
            }
        } else if next.is_ascii_alphabetic() {
            let word = take_while(&mut chars, |c| c.is_ascii_alphabetic()).to_ascii_lowercase();
            if let Some(month) = month_of(&word) {
                named_month = Some(month);
                chars.next_if_eq(&'-');
            } else if word == "am" || word == "pm" {
                half = Some(if word == "pm" { 12 } else { 0 });
            } else if let Some(hours) = zone_of(&word).filter(|_| !numbers.is_empty()) {
                behind = Some(-hours * 60);
            } else if !numbers.is_empty() {
                return None;
            }
        } else if matches!(next, '+' | '-') && !time.is_empty() {
            chars.next();
            let digits = take_while(&mut chars, |c| c.is_ascii_digit());
            let number: i64 = digits.parse().ok()?;
            let ahead = if chars.next_if_eq(&':').is_some() {
                number * 60 + take_while(&mut chars, |c| c.is_ascii_digit()).parse::<i64>().ok()?
            } else if digits.len() > 2 {
                number / 100 * 60 + number % 100
            } else {
                number * 60
            };
            behind = Some(if next == '+' { -ahead } else { ahead });
        } else if next == '(' {
            take_while(&mut chars, |c| c != ')');
        } else {
            chars.next();
        }
    }
    let is_day = |number: i64| (1..=31).contains(&number);
    let (year, month, day) = match (named_month, &numbers[..]) {
        (Some(month), &[first, second]) if is_day(first) => (second, month, first),
        (Some(month), &[first, second]) => (first, month, second),
        (None, &[first, second, third]) if is_day(first) => (third, first, second),
        (None, &[first, second, third]) => (first, second, third),
        _ => return None,
    };
    let year = match year {
        0..50 => year + 2000,
        50..100 => year + 1900,
        year => year,
    };
    let mut hour = time.first().copied().unwrap_or_default();
    if let Some(half) = half {
        (1..=12).contains(&hour).then_some(())?;
        hour = hour % 12 + half;
    }
    let part = |index: usize| time.get(index).copied().unwrap_or_default();
    at(year, month, day, [hour, part(1), part(2), fraction], behind.unwrap_or(local))
}

fn at(
    year: i64,
    month: i64,
    day: i64,
    [hour, minute, second, millisecond]: [i64; 4],
    behind: i64,
) -> Option<i64> {
    let is_time =
        hour < 24 && minute < 60 && second < 60 || [hour, minute, second, millisecond] == [24, 0, 0, 0];
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !is_time || year.abs() > 275_000 {
        return None;
    }
    let clock = ((hour * 60 + minute + behind) * 60 + second) * 1000 + millisecond;
    Some((days_before(year, month) + day - 1) * DAY + clock)
}

/// Days from January 1, 1970, to the first day of a month, in the proleptic Gregorian calendar.
fn days_before(year: i64, month: i64) -> i64 {
    // Let the year begin in March, so that the leap day is its last day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * month + 2) / 5;
    era * 146_097 + day_of_era - 719_468
}

fn month_of(word: &str) -> Option<i64> {
    const MONTHS: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
    let place = MONTHS.find(word.get(..3)?)?;
    (place % 3 == 0).then_some(place as i64 / 3 + 1)
}

/// Hours that a named time zone is ahead of UTC.
fn zone_of(word: &str) -> Option<i64> {
    Some(match word {
        "z" | "ut" | "utc" | "gmt" => 0,
        "edt" => -4,
        "est" | "cdt" => -5,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" => -8,
        _ => return None,
    })
}

/// Milliseconds of the fraction of a second, from its first three digits.
fn milliseconds(digits: &str) -> Option<i64> {
    let first = digits.get(..3).unwrap_or(digits);
    format!("{first:0<3}").parse().ok().filter(|_| !digits.is_empty())
}

fn take(rest: &mut &str, character: char) -> bool {
    let stripped = rest.strip_prefix(character);
    *rest = stripped.unwrap_or(rest);
    stripped.is_some()
}

fn take_digits(rest: &mut &str, count: usize) -> Option<i64> {
    let digits = rest.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    *rest = &rest[count..];
    digits.parse().ok()
}

fn take_while(chars: &mut Peekable<Chars<'_>>, test: impl Fn(char) -> bool) -> String {
    let mut taken = String::new();
    while let Some(character) = chars.next_if(|character| test(*character)) {
        taken.push(character);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of Node.js 22 in a time zone that is one hour ahead of UTC.
    #[test]
    fn dates_are_parsed_as_in_javascript() {
        const TEN: i64 = 1_795_687_200_000;
        const HOUR: i64 = 3_600_000;
        for (text, expected) in [
            ("2026-11-26T10:00:00Z", Some(TEN)),
            ("2026-11-26t10:00:00z", Some(TEN)),
            ("2026-11-26T10:00Z", Some(TEN)),
            ("2026-11-26T10:00:00.5Z", Some(TEN + 500)),
            ("2026-11-26T10:00:00.123456789Z", Some(TEN + 123)),
            ("2026-11-26T10:00:00+00:00", Some(TEN)),
            ("2026-11-26T11:00:00+0100", Some(TEN)),
            ("2026-11-26T04:30:00-05:30", Some(TEN)),
            ("2026-11-26T10:00:00", Some(TEN - HOUR)),
            ("2026-11-26", Some(TEN - 10 * HOUR)),
            ("2026-11-26T24:00:00Z", Some(TEN + 14 * HOUR)),
            ("+002026-11-26T10:00:00Z", Some(TEN)),
            ("2026-11-26 10:00:00", Some(TEN - HOUR)),
            ("2026-11-26 10:00:00Z", Some(TEN)),
            ("2026-11-26 10:00:00.123456 +0000 UTC", Some(TEN + 123)),
            ("2026-11-26 05:00:00 -0500", Some(TEN)),
            ("2026/11/26 10:00:00", Some(TEN - HOUR)),
            ("Thu, 26 Nov 2026 10:00:00 GMT", Some(TEN)),
            ("26 Nov 2026 10:00:00 +0000", Some(TEN)),
            ("Thu Nov 26 2026 11:00:00 GMT+0100 (CET)", Some(TEN)),
            ("Nov 26, 2026 11:00", Some(TEN)),
            ("Thursday, November 26, 2026 5:00:00 AM EST", Some(TEN)),
            ("11/26/2026 11:00 AM", Some(TEN)),
            ("11/26/2026 11:00 PM", Some(TEN + 12 * HOUR)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000)),
            ("2000-03-01T00:00:00Z", Some(951_868_800_000)),
            ("2026-11-26T10:00:00,5Z", None),
            ("2026-11-26T25:00:00Z", None),
            ("2026-13-26T10:00:00Z", None),
            ("20261126T100000Z", None),
            ("1795687200", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(parse(text, -60), expected, "{text}");
        }
    }
}
