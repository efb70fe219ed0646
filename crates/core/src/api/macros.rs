//! `use_cases!`: makes dispatch, names and the TypeScript client out of the table.

macro_rules! use_cases {
    ($($module:ident::$name:ident($arg:ty) -> $answer:ty;)*) => {
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

        /// Argument and answer of every use case: the shape of the TypeScript client (`ui/src/gen/api.ts`).
        #[derive(ts_rs::TS)]
        #[ts(export_to = "api.ts")]
        #[allow(dead_code, missing_docs, reason = "only its type is used")]
        pub struct UseCases {
            $(pub $name: UseCase<$arg, $answer>,)*
        }

        /// One use case's argument and answer.
        #[derive(ts_rs::TS)]
        #[ts(export_to = "api.ts")]
        #[allow(dead_code, reason = "only its type is used")]
        pub struct UseCase<A, B> {
            argument: A,
            answer: B,
        }
    };
}
