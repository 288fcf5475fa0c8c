//! How much may be asked of the controller.

macro_rules! bounds {
    ($($(#[$doc:meta])* $field:ident, $name:literal, $default:literal;)*) => {
        /// The number of brokers and the budget of each thing that may be asked. A flag is 0 or 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct Bounds {
            $($(#[$doc])* pub $field: u8,)*
        }

        impl Bounds {
            /// Nothing is asked.
            pub const QUIET: Self = Self { $($field: $default,)* };

            /// Their names, as the command line and scenarios have them.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// These bounds with one changed.
            ///
            /// # Errors
            /// Names what is unknown, or too large for any machine.
            pub fn with(mut self, name: &str, value: u64) -> Result<Self, String> {
                let small = u8::try_from(value).ok().filter(|value| *value <= 9);
                let value = small.ok_or_else(|| format!("{name}={value} is more than the 9 that a world has room for"))?;
                match name {
                    $($name => self.$field = value,)*
                    _ => return Err(format!("no bound is called {name:?}; there are {}", Self::NAMES.join(", "))),
                }
                match self {
                    Self { brokers: 0 | 5.., .. } => Err("a world has 1 to 4 brokers".into()),
                    Self { min_isr: 0, .. } => Err("min-isr is at least 1".into()),
                    _ => Ok(self),
                }
            }

            /// What differs from [`Bounds::QUIET`], and always the number of brokers.
            pub fn named(&self) -> Vec<(String, u64)> {
                let mut named = Vec::new();
                $(if self.$field != Self::QUIET.$field || $name == "brokers" {
                    named.push(($name.to_owned(), u64::from(self.$field)));
                })*
                named
            }
        }
    };
}

bounds! {
    /// The brokers, all of which have a copy of the one partition.
    brokers, "brokers", 2;
    /// `min.insync.replicas` at first.
    min_isr, "min-isr", 1;
    /// Flag: `unclean.leader.election.enable`.
    unclean, "unclean", 0;
    /// Registrations of new processes.
    registrations, "registrations", 0;
    /// Sessions that expire.
    fences, "fences", 0;
    /// Heartbeats that change anything.
    beats, "beats", 0;
    /// Proposed ISRs.
    proposals, "proposals", 0;
    /// Elections that someone asks for.
    elections, "elections", 0;
    /// Topics created or deleted.
    topics, "topics", 0;
    /// Changes of `min.insync.replicas`.
    configs, "configs", 0;
    /// Brokers that are unregistered.
    departures, "departures", 0;
    /// Losses of what was not committed.
    reverts, "reverts", 0;
    /// Flag: records are committed some time after they are appended, and not at once.
    late_commits, "late-commits", 0;
}
