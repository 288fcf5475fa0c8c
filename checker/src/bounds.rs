//! How much may happen in a world: named small numbers, that the command line and scenarios can change.

/// The most that any bound may be: a world with more is too large for any machine.
pub const MOST: u64 = 9;

/// Reads a bound's value.
///
/// # Errors
/// If it is more than [`MOST`], or more than 1 for a flag.
pub fn small(name: &str, value: u64, described: &[(&str, &str)]) -> Result<u8, String> {
    let is_flag = |(known, what): &&(&str, &str)| *known == name && what.trim_start().starts_with("Flag");
    if value > 1 && described.iter().any(|bound| is_flag(&bound)) {
        return Err(format!("{name}={value}: {name} is a flag, 0 or 1"));
    }
    let small = u8::try_from(value).ok().filter(|_| value <= MOST);
    small.ok_or_else(|| format!("{name}={value} is more than the {MOST} that a world has room for"))
}

/// What is wrong with the name of a bound.
pub fn unknown(name: &str, names: &[&str]) -> String {
    format!("no bound is called {name:?}; there are {}", names.join(", "))
}

/// The numbers of a world's brokers that there is room for, and of replicas in sync.
///
/// # Errors
/// Says which is out of range.
pub fn sensible(brokers: u8, min_isr: u8) -> Result<(), String> {
    match (brokers, min_isr) {
        (0 | 5.., _) => Err("a world has 1 to 4 brokers".into()),
        (_, 0) => Err("min-isr is at least 1".into()),
        _ => Ok(()),
    }
}

/// Declares the bounds of a kind of world, each with its name and what it is when nothing is said; first the names of
/// those that are always told. A flag is 0 or 1.
macro_rules! bounds {
    (always $always:expr; $($(#[doc = $doc:literal])* $field:ident, $name:literal, $default:literal;)*) => {
        /// The size of a cluster or group, and the budget of each thing that may happen to it. A flag is 0 or 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct Bounds {
            $($(#[doc = $doc])* pub $field: u8,)*
        }

        impl Bounds {
            /// Nothing happens that need not.
            pub const QUIET: Self = Self { $($field: $default,)* };

            /// Their names, as the command line and scenarios have them.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// What each stands for.
            pub const DESCRIBED: &'static [(&'static str, &'static str)] = &[$(($name, concat!($($doc),*))),*];

            /// These bounds with one changed.
            ///
            /// # Errors
            /// Names what is unknown or out of range.
            pub fn with(mut self, name: &str, value: u64) -> Result<Self, String> {
                let value = $crate::bounds::small(name, value, Self::DESCRIBED)?;
                match name {
                    $($name => self.$field = value,)*
                    _ => return Err($crate::bounds::unknown(name, Self::NAMES)),
                }
                self.validated()
            }

            /// What differs from [`Bounds::QUIET`], and always the size of the cluster or group.
            pub fn named(&self) -> Vec<(String, u64)> {
                let mut named = Vec::new();
                $(if self.$field != Self::QUIET.$field || $always.contains(&$name) {
                    named.push(($name.to_owned(), u64::from(self.$field)));
                })*
                named
            }
        }

        impl $crate::kind::Bounded for Bounds {
            type World = super::World;
            const QUIET: Self = Self::QUIET;
            const DESCRIBED: &'static [(&'static str, &'static str)] = Self::DESCRIBED;

            fn with(self, name: &str, value: u64) -> Result<Self, String> {
                Self::with(self, name, value)
            }

            fn named(&self) -> Vec<(String, u64)> {
                Self::named(self)
            }
        }
    };
}

pub(crate) use bounds;
