//! Forecasts as rows.

use crate::{
    model::{outlook::Forecast, time::Wall},
    query::{
        field::{Field, Row, Schema, Value},
        rows::subject,
    },
};

/// Fields of a forecast.
pub static FORECASTS: Schema = Schema {
    rows: "forecasts",
    fields: &[Field::Name, Field::Subject, Field::Due, Field::Confidence, Field::Reliable, Field::Skill, Field::Method],
    words: &[Field::Name, Field::Method],
};

/// A forecast, at a moment.
pub struct ForecastRow<'f> {
    name: String,
    forecast: &'f Forecast,
    now: Wall,
}

impl ForecastRow<'_> {
    /// That of a forecast.
    pub fn of(forecast: &Forecast, now: Wall) -> ForecastRow<'_> {
        ForecastRow { name: forecast.key.path(), forecast, now }
    }
}

impl Row for ForecastRow<'_> {
    fn field(&self, field: Field) -> Value<'_> {
        let forecast = self.forecast;
        match field {
            Field::Name => Value::Text(&self.name),
            Field::Subject => subject::value(&forecast.key.subject),
            Field::Due => forecast.due(self.now).into(),
            Field::Confidence => forecast.crossing.as_ref().map(|crossing| crossing.confidence).into(),
            Field::Reliable => Value::Flag(forecast.reliable),
            Field::Skill => forecast.skill.into(),
            Field::Method => forecast.blend.first().map(|(method, _)| method.words()).into(),
            _ => Value::Missing,
        }
    }
}
