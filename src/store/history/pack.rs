//! From a serde value to its form and cells.

use super::{
    bytes::{Damaged, fold, put},
    form::{Told, Value, op},
};
use serde::ser::{self, Serialize};

impl ser::Error for Damaged {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Damaged(message.to_string())
    }
}

/// Takes values apart. Its buffers are used again and again.
#[derive(Debug, Default)]
pub struct Packer {
    /// What has been told.
    pub told: Told,
    form: Vec<u8>,
    cells: Vec<u64>,
}

impl Packer {
    /// The value's form and cells.
    pub fn pack(&mut self, value: &impl Serialize) -> Result<Value, Damaged> {
        self.form.clear();
        self.cells.clear();
        value.serialize(&mut *self)?;
        Ok(Value { form: self.told.form(&self.form), cells: self.cells.clone() })
    }

    fn cell(&mut self, op: u8, cell: u64) -> Result<(), Damaged> {
        self.form.push(op);
        self.cells.push(cell);
        Ok(())
    }

    fn begin(&mut self, op: u8, count: usize) {
        self.form.push(op);
        put(&mut self.form, count as u64);
    }

    fn name(&mut self, name: &str) {
        let number = self.told.string(name);
        put(&mut self.form, number.into());
    }

    fn list(&mut self, length: Option<usize>) -> Result<List<'_>, Damaged> {
        let count = length.ok_or_else(|| Damaged("a list without a length".into()))?;
        let start = self.form.len();
        self.begin(op::LIST, count);
        let first = self.form.len();
        Ok(List { packer: self, start, first, end: first, done: 0, alike: true })
    }
}

/// A float in hundredths, if it is exactly that.
fn cents(value: f64) -> Option<i64> {
    let cents = (value * 100.0).round() as i64;
    (cents.unsigned_abs() < 1 << 50 && (cents as f64 / 100.0).to_bits() == value.to_bits()).then_some(cents)
}

type Done = Result<(), Damaged>;

impl<'p> ser::Serializer for &'p mut Packer {
    type Ok = ();
    type Error = Damaged;
    type SerializeSeq = List<'p>;
    type SerializeTuple = List<'p>;
    type SerializeTupleStruct = List<'p>;
    type SerializeTupleVariant = List<'p>;
    type SerializeMap = Fields<'p>;
    type SerializeStruct = Fields<'p>;
    type SerializeStructVariant = Fields<'p>;

    fn serialize_bool(self, v: bool) -> Done {
        self.cell(op::BOOL, v.into())
    }
    fn serialize_i8(self, v: i8) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Done {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Done {
        self.cell(op::SIGNED, fold(v))
    }
    fn serialize_u8(self, v: u8) -> Done {
        self.cell(op::WHOLE, v.into())
    }
    fn serialize_u16(self, v: u16) -> Done {
        self.cell(op::WHOLE, v.into())
    }
    fn serialize_u32(self, v: u32) -> Done {
        self.cell(op::WHOLE, v.into())
    }
    fn serialize_u64(self, v: u64) -> Done {
        self.cell(op::WHOLE, v)
    }
    fn serialize_f32(self, v: f32) -> Done {
        self.serialize_f64(v.into())
    }
    fn serialize_f64(self, v: f64) -> Done {
        match cents(v) {
            Some(cents) => self.cell(op::CENTS, fold(cents)),
            None => self.cell(op::FLOAT, v.to_bits()),
        }
    }
    fn serialize_char(self, v: char) -> Done {
        self.cell(op::CHAR, u32::from(v).into())
    }
    fn serialize_str(self, v: &str) -> Done {
        let number = self.told.string(v);
        self.cell(op::TEXT, number.into())
    }
    fn serialize_bytes(self, _: &[u8]) -> Done {
        Err(Damaged("bytes are no part of a sample".into()))
    }
    fn serialize_none(self) -> Done {
        self.form.push(op::NONE);
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.form.push(op::SOME);
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        self.form.push(op::UNIT);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        let number = self.told.string(variant);
        self.cell(op::VARIANT, number.into())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, variant: &'static str, value: &T) -> Done {
        self.form.push(op::VARIANT_OF);
        self.name(variant);
        value.serialize(self)
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<List<'p>, Damaged> {
        self.list(length)
    }
    fn serialize_tuple(self, length: usize) -> Result<List<'p>, Damaged> {
        self.list(Some(length))
    }
    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<List<'p>, Damaged> {
        self.list(Some(length))
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, length: usize) -> Result<List<'p>, Damaged> {
        self.form.push(op::VARIANT_OF);
        self.name(variant);
        self.list(Some(length))
    }
    fn serialize_map(self, length: Option<usize>) -> Result<Fields<'p>, Damaged> {
        self.begin(op::MAP, length.ok_or_else(|| Damaged("a map without a length".into()))?);
        Ok(Fields(self))
    }
    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Fields<'p>, Damaged> {
        self.begin(op::STRUCT, length);
        Ok(Fields(self))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Fields<'p>, Damaged> {
        self.form.push(op::VARIANT_OF);
        self.name(variant);
        self.serialize_struct(variant, length)
    }
}

/// A list on its way. When all of its elements turn out to be of one form, that is told once.
pub struct List<'p> {
    packer: &'p mut Packer,
    /// Where the list begins in the form, where its first element does, and where that ends.
    start: usize,
    first: usize,
    end: usize,
    /// Elements so far.
    done: usize,
    alike: bool,
}

impl List<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let begins = self.packer.form.len();
        value.serialize(&mut *self.packer)?;
        let form = &mut self.packer.form;
        if self.done == 0 {
            self.end = form.len();
        } else if self.alike && form.get(self.first..self.end) == form.get(begins..) {
            // Its form is known: only its cells stay.
            form.truncate(begins);
        } else if self.alike {
            // One is not like the others: the forms left out so far are put back before its own.
            self.alike = false;
            let own = form.split_off(begins);
            for _ in 1..self.done {
                form.extend_from_within(self.first..self.end);
            }
            form.extend_from_slice(&own);
        }
        self.done += 1;
        Ok(())
    }

    fn finish(self) -> Done {
        if self.alike
            && self.done > 1
            && let Some(op) = self.packer.form.get_mut(self.start)
        {
            *op = op::ALIKE;
        }
        Ok(())
    }
}

impl ser::SerializeSeq for List<'_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl ser::SerializeTuple for List<'_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for List<'_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

impl ser::SerializeTupleVariant for List<'_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.finish()
    }
}

/// The fields of a struct, or the pairs of a map, on their way.
pub struct Fields<'p>(&'p mut Packer);

impl ser::SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        key.serialize(&mut *self.0)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut *self.0)
    }
    fn end(self) -> Done {
        Ok(())
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        self.0.name(name);
        value.serialize(&mut *self.0)
    }
    fn end(self) -> Done {
        Ok(())
    }
}

impl ser::SerializeStructVariant for Fields<'_> {
    type Ok = ();
    type Error = Damaged;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        ser::SerializeStruct::serialize_field(self, name, value)
    }
    fn end(self) -> Done {
        Ok(())
    }
}
