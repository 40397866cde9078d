//! Whole numbers in as few bytes as they need (LEB128), and a reader that cannot leave its bytes: what is stored may be damaged, and what
//! somebody else hands over may be meant to.

/// What was read is not what anybody wrote: where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged(pub String);

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Damaged {}

/// The result of reading.
pub type Read<T> = Result<T, Damaged>;

/// Appends a number, seven bits a byte, the low ones first.
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number: small ones of either sign are short.
pub fn put_signed(out: &mut Vec<u8>, value: i64) {
    put(out, fold(value));
}

/// Appends a length and the bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A signed number as an unsigned one, small for small amounts of either sign.
pub fn fold(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The way back from [`fold`].
pub fn unfold(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads from the front of some bytes.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.0.split_first().ok_or_else(ends)?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number as [`put`] wrote it.
    pub fn number(&mut self) -> Read<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Damaged("a number is too long".into()))
    }

    /// A number as [`put_signed`] wrote it.
    pub fn signed(&mut self) -> Read<i64> {
        self.number().map(unfold)
    }

    /// A number of things, of which each takes at least a byte of what is left.
    pub fn count(&mut self) -> Read<usize> {
        let count = usize::try_from(self.number()?).map_err(|_| ends())?;
        if count > self.0.len() { Err(ends()) } else { Ok(count) }
    }

    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(ends)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Bytes as [`put_bytes`] wrote them.
    pub fn bytes(&mut self) -> Read<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }
}

fn ends() -> Damaged {
    Damaged("it ends too early".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(value: u64, signed: i64) {
            let mut out = Vec::new();
            put(&mut out, value);
            put_signed(&mut out, signed);
            let mut from = Cursor(&out);
            prop_assert_eq!((from.number().unwrap(), from.signed().unwrap(), from.is_empty()), (value, signed, true));
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_damage_and_no_allocation() {
        let mut out = Vec::new();
        put(&mut out, u64::MAX);
        assert!(Cursor(&out).bytes().is_err());
        assert!(Cursor(&[0x80; 12]).number().is_err());
        assert!(Cursor(&[0x80]).number().is_err());
    }
}
