//! `use_cases!`: makes dispatch, names and the TypeScript client out of the table.

macro_rules! use_cases {
    ($($name:ident($arg:ty) -> $answer:ty in $module:ident;)*) => {
        /// Every use case by name, in table order.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Runs one use case by name. `argument` is its JSON argument (`null` counts as `{}`).
        ///
        /// # Errors
        /// `unknown_command` for a name outside the table, `bad_argument` for JSON that does not fit, else the use case's own.
        pub async fn dispatch(
            core: &crate::Core,
            name: &str,
            argument: serde_json::Value,
        ) -> Result<serde_json::Value, super::ApiError> {
            let argument = if argument.is_null() { serde_json::json!({}) } else { argument };
            match name {
                $(stringify!($name) => {
                    let argument: $arg = serde_json::from_value(argument)
                        .map_err(|error| super::ApiError::bad_argument(stringify!($name), &error))?;
                    let answer: $answer = super::$module::$name(core, argument).await?;
                    serde_json::to_value(answer).map_err(|error| super::ApiError::internal("encode", &error))
                })*
                _ => Err(super::ApiError::new("unknown_command", "There is no such command.")),
            }
        }

        /// The TypeScript client: one line per use case, written to `ui/src/gen/api.ts` by a test.
        pub fn typescript(config: &ts_rs::Config) -> String {
            let mut out = String::from("export interface UseCases {\n");
            $(out.push_str(&format!(
                "  {}: {{ argument: {}; answer: {} }};\n",
                stringify!($name),
                <$arg as ts_rs::TS>::name(config),
                <$answer as ts_rs::TS>::name(config),
            ));)*
            out.push_str("}\n");
            out
        }

        /// Writes the declaration of every type in the table, and of what it uses, into one folder.
        ///
        /// # Errors
        /// When a file cannot be written.
        pub fn export_types(config: &ts_rs::Config) -> Result<(), ts_rs::ExportError> {
            $(
                <$arg as ts_rs::TS>::export_all(config)?;
                <$answer as ts_rs::TS>::export_all(config)?;
            )*
            Ok(())
        }
    };
}
