//! [`Decimal`]: the exact value of a JSON number, for comparing ids.
//!
//! Never by way of a float, which would make 2^53 and 2^53 + 1 the same id. A
//! number is taken apart where it stands: no allocation, however many digits.

use std::hash::{Hash, Hasher};

/// A JSON number as `±0.DIGITS × 10^scale`, without zeros on either side of the
/// digits: equal values have equal parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<'a> {
    negative: bool,
    /// The digits, maybe with the point among them; no digits is the value zero.
    digits: &'a [u8],
    scale: Scale<'a>,
}

/// An exponent. One beyond `i128` is known by its spelling only: two of those
/// are equal if they are spelled alike, with the same digits before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scale<'a> {
    Known(i128),
    Huge(&'a str),
}

impl<'a> Decimal<'a> {
    /// Takes apart `number`, which must be a JSON number.
    pub(super) fn of(number: &'a str) -> Self {
        let (negative, magnitude) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (mantissa, exponent) = match magnitude.find(['e', 'E']) {
            Some(e) => (&magnitude[..e], &magnitude[e + 1..]),
            None => (magnitude, "0"),
        };
        let bytes = mantissa.as_bytes();
        let significant = |byte: &u8| matches!(byte, b'1'..=b'9');
        let (Some(first), Some(last)) =
            (bytes.iter().position(significant), bytes.iter().rposition(significant))
        else {
            return Self { negative: false, digits: &[], scale: Scale::Known(0) };
        };
        let point = bytes.iter().position(|&byte| byte == b'.').unwrap_or(bytes.len());
        // How many places the point stands behind the first digit that counts.
        let shift = if first < point {
            i128::try_from(point - first)
        } else {
            i128::try_from(first - point - 1).map(|zeros| -zeros)
        };
        let scale = exponent
            .parse::<i128>()
            .ok()
            .and_then(|exponent| exponent.checked_add(shift.ok()?))
            .map_or(Scale::Huge(number), Scale::Known);
        Self { negative, digits: &bytes[first..=last], scale }
    }

    /// The value, if it is whole and of fewer than 39 digits.
    pub(super) fn to_integer(self) -> Option<i128> {
        let Scale::Known(scale) = self.scale else { return None };
        let mut value: i128 = 0;
        let mut places = scale;
        for digit in self.significant() {
            places = places.checked_sub(1).filter(|&left| left >= 0)?;
            value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        let zeros = u32::try_from(places).ok()?;
        value = value.checked_mul(10_i128.checked_pow(zeros)?)?;
        Some(if self.negative { -value } else { value })
    }

    fn significant(self) -> impl Iterator<Item = u8> {
        self.digits.iter().copied().filter(|&byte| byte != b'.')
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.negative == other.negative
            && self.scale == other.scale
            && self.significant().eq(other.significant())
    }
}

impl Eq for Decimal<'_> {}

impl Hash for Decimal<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.negative, self.scale).hash(state);
        self.significant().for_each(|digit| digit.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn values_count_and_spellings_do_not() {
        let groups: [&[&str]; 9] = [
            &["0", "-0", "0.0", "0e5", "-0.00E+99999999999999999999999999999999999999999"],
            &["1", "1.0", "1e0", "10e-1", "0.1e1", "0.001E+3", "1.000"],
            &["-1", "-1.0", "-100e-2"],
            &["100", "1e2", "1.00e2", "100.0", "10e+1"],
            &["9007199254740992", "9007199254740992.0"],
            &["9007199254740993", "9.007199254740993e15"],
            &["0.05", "5e-2", "0.50e-1"],
            &["1e400", "10e399"],
            &["1e99999999999999999999999999999999999999999"],
        ];
        for (i, group) in groups.iter().enumerate() {
            for one in *group {
                for (j, other) in groups.iter().enumerate().flat_map(|(j, g)| g.iter().map(move |o| (j, o))) {
                    assert_eq!(Decimal::of(one) == Decimal::of(other), i == j, "{one} and {other}");
                }
            }
        }
    }

    #[test]
    fn whole_numbers_are_recognised_by_value() {
        let whole =
            [("-0", 0), ("1.50e1", 15), ("18446744073709551615", u64::MAX.into()), ("-32e3", -32_000)];
        for (text, value) in whole {
            assert_eq!(Decimal::of(text).to_integer(), Some(value), "{text}");
        }
        for text in ["1.5", "15e-1", "1e40", "1e400", "1e99999999999999999999999999999999999999999"] {
            assert_eq!(Decimal::of(text).to_integer(), None, "{text}");
        }
    }
}
