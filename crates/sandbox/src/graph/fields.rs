//! Field expansion: `id,messages.limit(20){id,from},picture.type(large)`. A text that does not parse is
//! the platform's code 2500; nothing here knows which fields exist.

use std::fmt;

use super::error::GraphError;

/// One asked field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) args: Vec<(String, String)>,
    pub(crate) inner: Vec<Field>,
}

/// Deeper nesting is refused.
const DEPTH: usize = 8;

impl Field {
    /// A field by itself.
    pub(crate) fn plain(name: &str) -> Self {
        Field {
            name: name.into(),
            args: Vec::new(),
            inner: Vec::new(),
        }
    }

    pub(crate) fn arg(&self, name: &str) -> Option<&str> {
        self.args
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        for (key, value) in &self.args {
            write!(out, ".{key}({value})")?;
        }
        if !self.inner.is_empty() {
            write!(out, "{{{}}}", join(&self.inner))?;
        }
        Ok(())
    }
}

/// Back to the text form.
pub(crate) fn join(fields: &[Field]) -> String {
    fields
        .iter()
        .map(Field::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// Reads a `fields` parameter; without one the given defaults stand. `id` is always there.
pub(crate) fn read(text: Option<&str>, defaults: &[&str]) -> Result<Vec<Field>, GraphError> {
    let mut fields = match text.map(str::trim) {
        Some(text) if !text.is_empty() => {
            let mut reader = Reader {
                rest: text,
                whole: text,
            };
            let fields = reader.list(0)?;
            if !reader.rest.is_empty() {
                return Err(reader.error());
            }
            fields
        }
        _ => defaults.iter().map(|name| Field::plain(name)).collect(),
    };
    if !fields.iter().any(|field| field.name == "id") {
        fields.push(Field::plain("id"));
    }
    Ok(fields)
}

/// The inner fields of an expansion, or the defaults of its kind.
pub(crate) fn inner_or(field: &Field, defaults: &[&str]) -> Vec<Field> {
    let mut fields = if field.inner.is_empty() {
        defaults.iter().map(|name| Field::plain(name)).collect()
    } else {
        field.inner.clone()
    };
    if !fields.iter().any(|inner| inner.name == "id") {
        fields.push(Field::plain("id"));
    }
    fields
}

struct Reader<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl Reader<'_> {
    fn error(&self) -> GraphError {
        let at = self.whole.len() - self.rest.len();
        GraphError::new(
            2500,
            &format!(
                "Syntax error \"Expected name at character {at}: {}\" in the fields parameter",
                self.rest.chars().take(20).collect::<String>()
            ),
        )
    }

    fn eat(&mut self, letter: char) -> bool {
        match self.rest.trim_start().strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn name(&mut self) -> Result<String, GraphError> {
        let text = self.rest.trim_start();
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(text.len());
        if end == 0 {
            return Err(self.error());
        }
        self.rest = text.get(end..).unwrap_or_default();
        Ok(text.get(..end).unwrap_or_default().to_owned())
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Field>, GraphError> {
        if depth > DEPTH {
            return Err(self.error());
        }
        let mut fields = vec![self.field(depth)?];
        while self.eat(',') {
            fields.push(self.field(depth)?);
        }
        Ok(fields)
    }

    fn field(&mut self, depth: usize) -> Result<Field, GraphError> {
        let mut field = Field::plain(&self.name()?);
        while self.eat('.') {
            let key = self.name()?;
            if !self.eat('(') {
                return Err(self.error());
            }
            let end = self.rest.find(')').ok_or_else(|| self.error())?;
            let value = self.rest.get(..end).unwrap_or_default().to_owned();
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            field.args.push((key, value));
        }
        if self.eat('{') {
            field.inner = self.list(depth + 1)?;
            if !self.eat('}') {
                return Err(self.error());
            }
        }
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nested_expansion_is_read_and_written_back() {
        let text = "updated_time,messages.limit(20){id,from{id},attachments},id";
        let fields = read(Some(text), &[]).unwrap();
        assert_eq!(join(&fields), text);
        assert_eq!(fields[1].arg("limit"), Some("20"));
        assert_eq!(fields[1].inner[1].inner[0].name, "id");
    }

    #[test]
    fn broken_text_is_code_2500() {
        for text in ["a,,b", "a{b", "a.limit(3", "a}", "{", &"a{".repeat(40)] {
            assert_eq!(read(Some(text), &[]).unwrap_err().code, 2500, "{text}");
        }
    }

    #[test]
    fn the_id_is_always_there() {
        assert_eq!(join(&read(None, &["name"]).unwrap()), "name,id");
        assert_eq!(join(&read(Some("name"), &[]).unwrap()), "name,id");
    }
}
