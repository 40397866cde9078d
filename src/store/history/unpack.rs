//! From form and cells back to a serde value. Whatever the bytes are, it ends, and takes no more memory than they can pay for.

use super::{
    bytes::{Cursor, Damaged, unfold},
    form::{Heard, Value, op},
};
use serde::{
    de::{self, DeserializeOwned, DeserializeSeed, IgnoredAny, IntoDeserializer, Visitor},
    forward_to_deserialize_any,
};

/// Forms within forms.
const DEPTH: u32 = 48;

/// Parts of one value at most, so that lists of lists of nothing come to an end.
const PARTS: u32 = 1 << 23;

impl de::Error for Damaged {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Damaged(message.to_string())
    }
}

/// The value that was taken apart.
pub fn unpack<T: DeserializeOwned>(heard: &Heard, value: &Value) -> Result<T, Damaged> {
    let form = Cursor(heard.form(value.form)?);
    let mut from = Unpacker { heard, form, cells: value.cells.iter(), depth: 0, parts: 0 };
    let made = T::deserialize(&mut from)?;
    if from.form.is_empty() && from.cells.next().is_none() {
        Ok(made)
    } else {
        Err(Damaged("there is more than its form says".into()))
    }
}

struct Unpacker<'a> {
    heard: &'a Heard,
    form: Cursor<'a>,
    cells: std::slice::Iter<'a, u64>,
    depth: u32,
    parts: u32,
}

impl<'a> Unpacker<'a> {
    fn cell(&mut self) -> Result<u64, Damaged> {
        self.cells.next().copied().ok_or_else(|| Damaged("it has fewer values than its form says".into()))
    }

    fn name(&mut self) -> Result<&'a str, Damaged> {
        let number = self.form.number()?;
        self.heard.string(number).map(AsRef::as_ref)
    }

    fn part(&mut self) -> Result<u8, Damaged> {
        self.parts += 1;
        if self.parts > PARTS {
            return Err(Damaged("it has too many parts".into()));
        }
        self.form.byte()
    }

    fn within<T>(&mut self, visit: impl FnOnce(&mut Self) -> Result<T, Damaged>) -> Result<T, Damaged> {
        if self.depth >= DEPTH {
            return Err(Damaged("it is too deep".into()));
        }
        self.depth += 1;
        let made = visit(self);
        self.depth -= 1;
        made
    }

    /// Elements of a list or fields of a struct: `alike` when they share one form.
    fn many(&mut self, alike: Alike) -> Result<Many<'_, 'a>, Damaged> {
        let left = self.form.number()?;
        let again = (alike == Alike::Yes).then_some(self.form);
        Ok(Many { from: self, left, again })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Alike {
    Yes,
    No,
}

impl<'de> de::Deserializer<'de> for &mut Unpacker<'_> {
    type Error = Damaged;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        match self.part()? {
            op::UNIT => visitor.visit_unit(),
            op::BOOL => self.cell().and_then(|cell| visitor.visit_bool(cell != 0)),
            op::WHOLE => self.cell().and_then(|cell| visitor.visit_u64(cell)),
            op::SIGNED => self.cell().and_then(|cell| visitor.visit_i64(unfold(cell))),
            op::FLOAT => self.cell().and_then(|cell| visitor.visit_f64(f64::from_bits(cell))),
            op::CENTS => self.cell().and_then(|cell| visitor.visit_f64(unfold(cell) as f64 / 100.0)),
            op::CHAR => {
                let known = u32::try_from(self.cell()?).ok().and_then(char::from_u32);
                visitor.visit_char(known.ok_or_else(|| Damaged("this is no character".into()))?)
            }
            op::TEXT => {
                let number = self.cell()?;
                visitor.visit_str(self.heard.string(number)?)
            }
            op::NONE => visitor.visit_none(),
            op::SOME => self.within(|from| visitor.visit_some(from)),
            op::VARIANT => {
                let number = self.cell()?;
                let name: &str = self.heard.string(number)?;
                visitor.visit_enum(name.into_deserializer())
            }
            op::VARIANT_OF => self.within(|from| {
                let name = from.name()?;
                visitor.visit_enum(Content { name, from })
            }),
            op::LIST => self.within(|from| from.many(Alike::No)?.all(|many| visitor.visit_seq(many))),
            op::ALIKE => self.within(|from| from.many(Alike::Yes)?.all(|many| visitor.visit_seq(many))),
            op::STRUCT => self.within(|from| visitor.visit_map(Named(from.many(Alike::No)?))),
            op::MAP => self.within(|from| visitor.visit_map(from.many(Alike::No)?)),
            other => Err(Damaged(format!("form {other} is not known"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Damaged> {
        // A field that has become optional since: its old values are all there.
        match self.form.0.first() {
            Some(&(op::NONE | op::SOME | op::UNIT)) => self.deserialize_any(visitor),
            _ => self.within(|from| visitor.visit_some(from)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Damaged> {
        self.within(|from| visitor.visit_newtype_struct(from))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        struct enum identifier ignored_any
    }
}

/// Several values one after the other.
struct Many<'u, 'a> {
    from: &'u mut Unpacker<'a>,
    left: u64,
    /// The form of each, when they share one.
    again: Option<Cursor<'a>>,
}

impl<'a> Many<'_, 'a> {
    fn next<'de, T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Damaged> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        if let Some(form) = self.again {
            self.from.form = form;
        }
        seed.deserialize(&mut *self.from).map(Some)
    }

    /// Visits; what the visitor leaves is passed over, so that the form stands behind the list.
    fn all<T>(mut self, visit: impl FnOnce(&mut Self) -> Result<T, Damaged>) -> Result<T, Damaged> {
        let made = visit(&mut self)?;
        while self.next(std::marker::PhantomData::<IgnoredAny>)?.is_some() {}
        Ok(made)
    }

    fn hint(&self) -> Option<usize> {
        usize::try_from(self.left).ok()
    }
}

impl<'de> de::SeqAccess<'de> for &mut Many<'_, '_> {
    type Error = Damaged;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Damaged> {
        self.next(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        // serde's own collections take it with a grain of salt: they never reserve more than a megabyte for it.
        self.hint()
    }
}

impl<'de> de::MapAccess<'de> for Many<'_, '_> {
    type Error = Damaged;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Damaged> {
        self.next(seed)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Damaged> {
        seed.deserialize(&mut *self.from)
    }
}

/// The fields of a struct.
struct Named<'u, 'a>(Many<'u, 'a>);

impl<'de> de::MapAccess<'de> for Named<'_, '_> {
    type Error = Damaged;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Damaged> {
        if self.0.left == 0 {
            return Ok(None);
        }
        self.0.left -= 1;
        let name = self.0.from.name()?;
        seed.deserialize(IntoDeserializer::<Damaged>::into_deserializer(name)).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Damaged> {
        seed.deserialize(&mut *self.0.from)
    }
}

/// The content of a variant.
struct Content<'u, 'a> {
    name: &'a str,
    from: &'u mut Unpacker<'a>,
}

impl<'de> de::EnumAccess<'de> for Content<'_, '_> {
    type Error = Damaged;
    type Variant = Self;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Damaged> {
        let name = IntoDeserializer::<Damaged>::into_deserializer(self.name);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Content<'_, '_> {
    type Error = Damaged;
    fn unit_variant(self) -> Result<(), Damaged> {
        de::Deserialize::deserialize(self.from).map(|IgnoredAny| ())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Damaged> {
        seed.deserialize(self.from)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Damaged> {
        de::Deserializer::deserialize_any(self.from, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Damaged> {
        de::Deserializer::deserialize_any(self.from, visitor)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::store::history::pack::Packer;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use std::{collections::BTreeMap, sync::Arc};

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Inner {
        a: Option<[u64; 2]>,
        b: Vec<(u32, Arc<str>)>,
        c: f64,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    enum Kind {
        #[default]
        Plain,
        One(i64),
        Two(u8, Option<char>),
        Named {
            x: bool,
            y: BTreeMap<String, f64>,
        },
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Outer {
        kinds: Vec<Kind>,
        inner: Vec<Inner>,
        unit: (),
        wrapped: Wrapped,
        nested: Vec<Vec<Option<u64>>>,
    }

    #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Wrapped(i8);

    fn heard(packer: &Packer) -> Heard {
        Heard { strings: packer.told.new_strings.clone(), forms: packer.told.new_forms.clone() }
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Plain),
            any::<i64>().prop_map(Kind::One),
            (any::<u8>(), any::<Option<char>>()).prop_map(|(a, b)| Kind::Two(a, b)),
            (any::<bool>(), prop::collection::btree_map("[a-z]{0,3}", -1e9..1e9_f64, 0..4)).prop_map(|(x, y)| Kind::Named { x, y }),
        ]
    }

    fn inner() -> impl Strategy<Value = Inner> {
        let float =
            prop_oneof![(-1000_i32..1000).prop_map(|c| f64::from(c) / 100.0), -1e300..1e300_f64, Just(f64::INFINITY), Just(-0.0)];
        let pairs = prop::collection::vec((any::<u32>(), "[a-c]{0,2}".prop_map(Arc::from)), 0..4);
        (any::<Option<[u64; 2]>>(), pairs, float).prop_map(|(a, b, c)| Inner { a, b, c })
    }

    fn outer() -> impl Strategy<Value = Outer> {
        let nested = prop::collection::vec(prop::collection::vec(any::<Option<u64>>(), 0..4), 0..4);
        (prop::collection::vec(kind(), 0..6), prop::collection::vec(inner(), 0..6), any::<i8>(), nested)
            .prop_map(|(kinds, inner, w, nested)| Outer { kinds, inner, unit: (), wrapped: Wrapped(w), nested })
    }

    proptest! {
        #[test]
        fn every_value_comes_back(first in outer(), second in outer()) {
            let mut packer = Packer::default();
            let values = [packer.pack(&first).unwrap(), packer.pack(&second).unwrap()];
            let heard = heard(&packer);
            prop_assert_eq!(unpack::<Outer>(&heard, &values[0]).unwrap(), first);
            prop_assert_eq!(unpack::<Outer>(&heard, &values[1]).unwrap(), second);
        }

        #[test]
        fn no_bytes_break_it(form in prop::collection::vec(0_u8..20, 0..40), cells in prop::collection::vec(any::<u64>(), 0..20)) {
            let heard = Heard { strings: vec!["kinds".into(), "One".into()], forms: vec![form.into()] };
            let _ = unpack::<Outer>(&heard, &Value { form: 0, cells: cells.clone() });
            let _ = unpack::<Vec<Vec<()>>>(&heard, &Value { form: 0, cells });
        }
    }

    #[test]
    fn a_list_of_equals_tells_its_form_once() {
        let mut packer = Packer::default();
        let few = packer.pack(&vec![Inner::default(); 2]).unwrap();
        let many = packer.pack(&vec![Inner::default(); 100]).unwrap();
        assert_eq!(packer.told.new_forms[few.form as usize].len(), packer.told.new_forms[many.form as usize].len());
    }

    #[test]
    fn a_struct_that_has_grown_reads_what_was_written_before() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Grown {
            c: f64,
            #[serde(default)]
            d: Vec<u32>,
            a: Option<[u64; 2]>,
        }
        let mut packer = Packer::default();
        let old = packer.pack(&Inner { a: Some([1, 2]), b: vec![(3, "x".into())], c: 0.5 }).unwrap();
        assert_eq!(unpack::<Grown>(&heard(&packer), &old).unwrap(), Grown { c: 0.5, d: vec![], a: Some([1, 2]) });
    }

    #[test]
    fn a_hostile_form_ends() {
        // A list of 2^60 lists of 2^60 nothings.
        let mut form = vec![op::ALIKE];
        super::super::bytes::put(&mut form, 1 << 60);
        form.push(op::ALIKE);
        super::super::bytes::put(&mut form, 1 << 60);
        form.push(op::UNIT);
        let heard = Heard { strings: vec![], forms: vec![form.into(), vec![op::SOME; 4096].into()] };
        assert!(unpack::<IgnoredAny>(&heard, &Value { form: 0, cells: vec![] }).is_err());
        assert!(unpack::<IgnoredAny>(&heard, &Value { form: 1, cells: vec![] }).is_err());
    }
}
