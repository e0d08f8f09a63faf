//! The header `Retry-After` of HTTP answers (RFC 9110, section 10.2.3).

use super::Millis;

/// How long the server wants no further request: a number of seconds, or a date such as
/// `Sun, 06 Nov 1994 08:49:37 GMT`, whose weekday isn't looked at. A date in the past is no time.
/// `now` is in milliseconds since 1970. `None`: it is something else, or in one of the formats that
/// no server may send any more.
pub fn retry_after(value: &str, now: Millis) -> Option<Millis> {
    match value.parse::<u32>() {
        Ok(seconds) => Some(f64::from(seconds) * 1_000.0),
        Err(_) => date(value).map(|date| (date - now).max(0.0)),
    }
}

/// The months, and their days without a leap day.
const MONTHS: [(&str, u32); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

/// What stands between the numbers and names of a date, and where.
const SHAPE: [(usize, &str); 7] = [
    (3, ", "),
    (7, " "),
    (11, " "),
    (16, " "),
    (19, ":"),
    (22, ":"),
    (25, " GMT"),
];

/// The length of a date.
const LENGTH: usize = 29;

/// The days from the first of January of the year 1 to that of 1970.
const DAYS_BEFORE_1970: f64 = 719_162.0;

/// A date in the format IMF-fixdate (RFC 9110, section 5.6.7), in milliseconds since 1970.
fn date(text: &str) -> Option<Millis> {
    let has = |at: usize, part: &str| text.get(at..).is_some_and(|rest| rest.starts_with(part));
    if text.len() != LENGTH || !SHAPE.iter().all(|(at, part)| has(*at, part)) {
        return None;
    }
    let day = number(text.get(5..7)?, 31)?;
    let month = text.get(8..11)?;
    let month = MONTHS.iter().position(|(name, _)| *name == month)?;
    let year = number(text.get(12..16)?, 9999)?;
    let hours = number(text.get(17..19)?, 23)?;
    let minutes = number(text.get(20..22)?, 59)?;
    // 60 is a leap second.
    let seconds = number(text.get(23..25)?, 60)?;
    let leap_day = u32::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let mut months = MONTHS.iter().map(|(name, days)| match *name {
        "Feb" => days + leap_day,
        _ => *days,
    });
    let before: u32 = months.by_ref().take(month).sum();
    if day == 0 || day > months.next()? {
        return None;
    }
    let past = year.checked_sub(1)?;
    let days = past * 365 + past / 4 - past / 100 + past / 400 + before + day - 1;
    let time = f64::from(hours * 3_600 + minutes * 60 + seconds);
    Some(((f64::from(days) - DAYS_BEFORE_1970) * 86_400.0 + time) * 1_000.0)
}

/// The number, if all characters are digits and it is at most `most`.
fn number(digits: &str, most: u32) -> Option<u32> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok()?;
    (is_number && number <= most).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const EXAMPLE: Millis = 784_111_777_000.0;

    #[test]
    fn seconds() {
        for (value, expected) in [
            ("0", Some(0.0)),
            ("120", Some(120_000.0)),
            ("4294967295", Some(4_294_967_295_000.0)),
            ("4294967296", None),
            ("1.5", None),
            ("-1", None),
            ("1e3", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value, EXAMPLE), expected, "{value}");
        }
    }

    #[test]
    fn dates() {
        for (value, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE / 1_000.0),
            ("Mon, 28 Feb 2000 23:59:59 GMT", 951_782_399.0),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400.0),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800.0),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800.0),
            ("Thu, 26 Nov 2026 21:40:00 GMT", 1_795_729_200.0),
            ("Sun, 28 Feb 2100 12:00:00 GMT", 4_107_499_200.0),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400.0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799.0),
        ] {
            assert_eq!(retry_after(value, 0.0), Some(seconds * 1_000.0), "{value}");
        }
    }

    #[test]
    fn a_date_counts_from_now() {
        let value = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(value, EXAMPLE - 1_500.0), Some(1_500.0));
        assert_eq!(retry_after(value, EXAMPLE), Some(0.0));
        assert_eq!(retry_after(value, EXAMPLE + 1e12), Some(0.0));
    }

    #[test]
    fn what_is_no_date() {
        for value in [
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "1994-11-06T08:49:37Z",
            "06 Nov 1994 08:49:37 GMT",
            "Sun; 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Thu, 31 Nov 1994 08:49:37 GMT",
            "Wed, 29 Feb 1995 08:49:37 GMT",
            "Mon, 29 Feb 2100 08:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06 Nov 0000 08:49:37 GMT",
            "Sun, 06 Nov 19944 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 Nov 1994 +8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 GMT and more",
            "Sun, ",
            ", , ,",
            "Sun, 06 日 1994 08:49:37 GMT",
        ] {
            assert_eq!(retry_after(value, EXAMPLE), None, "{value}");
        }
    }
}
