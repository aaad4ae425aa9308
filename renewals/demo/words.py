"""Word lists that the demo's names and notes are made of. All companies and people in them are invented."""

GIVEN_NAMES = (
    "Lena", "Jonas", "Amira", "Tomás", "Freya", "Mateo", "Ingrid", "Oskar", "Chiara", "Elif", "Noah", "Priya",
    "Hugo", "Maren", "Kofi", "Yuki", "Sofia", "Daniel", "Aisha", "Piotr", "Clara", "Samuel", "Nadia", "Luca",
    "Hana", "Owen", "Zoë", "Marta", "Felix", "Renée", "Arjun", "Beatriz", "Callum", "Dilara", "Emil", "Fatima",
    "Georg", "Helen", "Ivan", "Julia",
)  # fmt: skip
FAMILY_NAMES = (
    "Brandt", "Okafor", "Lindqvist", "Moreau", "Castellanos", "Novak", "Haddad", "Sørensen", "Tanaka", "Whitfield",
    "Ferreira", "Kowalski", "Iyer", "Brennan", "Vasquez", "Öztürk", "Keller", "Nakamura", "Dubois", "Halloran",
    "Petrov", "Lundgren", "Marchetti", "Osei", "Reyes", "Schäfer", "Thorne", "Varga", "Wexler", "Yamada", "Abbott",
    "Bergström", "Calloway", "Duarte", "Eriksen", "Farrow", "Gallagher", "Hoffmann", "Ibarra", "Jansen", "Kaur",
    "Lefèvre", "Müller", "Nygård", "O’Dell", "Pellegrini", "Quinn", "Rasmussen", "Sinclair", "Takahashi", "Ueda",
    "Vance", "Winther", "Ylönen", "Zimmermann", "Ashdown", "Borges", "Contreras", "Drăgan",
)  # fmt: skip
STEMS = (
    "Al", "Ar", "Bel", "Bor", "Bran", "Cal", "Car", "Cor", "Dal", "Del", "Dor", "El", "Ester", "Fal", "Far", "Fen",
    "Fin", "Gal", "Glen", "Gran", "Hal", "Har", "Hol", "Ister", "Jor", "Kal", "Kar", "Kel", "Kor", "Lan", "Lar",
    "Lin", "Lor", "Mar", "Mel", "Mer", "Mor", "Nar", "Nor", "Ober", "Or", "Pal", "Pel", "Per", "Quel", "Ral", "Ren",
    "Ros", "Sal", "Sel", "Ser", "Sol", "Sten", "Tal", "Tar", "Tel", "Ter", "Tor", "Ul", "Val", "Var", "Vel", "Ver",
    "Vin", "Wal", "Wen", "Wes", "Win", "Yar", "Zel", "Zor", "Åker", "Öst", "Grön", "Bú",
)  # fmt: skip
ENDINGS = (
    "an", "anta", "aris", "ax", "bridge", "bury", "by", "co", "dale", "dan", "den", "dia", "dor", "ec", "ell",
    "ena", "era", "esta", "field", "fors", "gate", "grove", "ham", "helm", "ia", "ico", "ida", "ine", "ion", "is",
    "ista", "ix", "land", "lex", "lia", "lis", "lon", "low", "mar", "mere", "mont", "mora", "na", "nex", "nia",
    "nova", "on", "ona", "or", "ora", "os", "ova", "port", "quist", "ra", "ris", "rock", "sen", "shire", "sia",
    "stead", "stone", "tal", "tec", "ten", "tia", "ton", "tor", "tria", "um", "una", "ura", "vale", "vara", "ver",
    "via", "vik", "wick", "wood", "worth", "yx",
)  # fmt: skip
TRADES = {
    "Banking and insurance": ("Bank", "Insurance", "Capital", "Mutual", "Assurance", "Finance", "Partners"),
    "Biotech and pharma": ("Biotech", "Pharma", "Therapeutics", "Life Sciences", "Genomics", "Diagnostics", "Labs"),
    "Construction": ("Construction", "Bau", "Builders", "Engineering", "Infrastructure", "Contracting", "Homes"),
    "Energy and utilities": ("Energy", "Power", "Utilities", "Solar", "Wind", "Grid", "Water", "Gas Networks"),
    "Healthcare": ("Health", "Clinics", "Medical", "Care", "Hospitals", "Dental", "Diagnostics Centre"),
    "Logistics": ("Logistics", "Freight", "Shipping", "Transport", "Cargo", "Warehousing", "Spedition", "Lines"),
    "Manufacturing": ("Industries", "Manufacturing", "Maschinenbau", "Steel", "Components", "Plastics", "Tools"),
    "Media and agencies": ("Media", "Studios", "Agency", "Publishing", "Pictures", "Design", "Events"),
    "Retail and hospitality": ("Retail", "Stores", "Foods", "Hotels", "Fashion", "Market", "Outfitters", "Restaurants"),
    "Software": ("Software", "Systems", "Cloud", "Data", "Networks", "Digital", "Apps", "Analytics"),
}
# Public bodies, in English and in the languages of some regions.
PUBLIC_PATTERNS = {
    "Government": (
        "City of {}", "{} County", "{} Water Authority", "{} Borough Council", "Port of {}", "{} Regional Police",
        "{} Fire Service", "{} Transport Authority", "{} Housing Agency",
    ),
    "Higher education": (
        "University of {}", "{} College", "{} Institute of Technology", "{} Business School", "{} Academy of Arts",
        "{} Polytechnic", "{} School of Economics",
    ),
    "Healthcare": (
        "{} General Hospital", "{} University Hospital", "{} Health Trust", "{} Children’s Hospital",
        "{} Ambulance Service", "{} Public Health",
    ),
    "Energy and utilities": (
        "{} Public Power District", "{} Municipal Water", "{} Waterworks", "{} District Heating", "{} City Power",
    ),
}  # fmt: skip
LOCAL_PUBLIC_PATTERNS = {
    "DACH": {
        "Government": ("Stadt {}", "Landkreis {}", "Gemeinde {}", "Kanton {}", "Bezirksamt {}"),
        "Higher education": ("Universität {}", "Hochschule {}", "Technische Universität {}", "Akademie {}"),
        "Healthcare": ("Klinikum {}", "Universitätsklinikum {}", "Kreiskrankenhaus {}"),
        "Energy and utilities": ("Stadtwerke {}", "Wasserverband {}", "Gemeindewerke {}"),
    },
    "Nordics": {
        "Government": ("{} kommun", "{} Kommune", "Region {}", "{} kaupunki"),
        "Higher education": ("{} universitet", "{} Tekniske Høgskole", "{} yliopisto"),
        "Healthcare": ("{} sjukhus", "Sykehuset {}", "{} sairaala"),
        "Energy and utilities": ("{} Energi", "{} Fjärrvärme", "{} Vann og Avløp"),
    },
    "Southern Europe": {
        "Government": ("Ayuntamiento de {}", "Comune di {}", "Câmara de {}", "Diputación de {}", "Ville de {}"),
        "Higher education": ("Universidad de {}", "Università di {}", "Université de {}", "Politécnico de {}"),
        "Healthcare": ("Hospital de {}", "Ospedale di {}", "Hôpital de {}"),
        "Energy and utilities": ("Aguas de {}", "Acquedotto di {}", "Régie de {}"),
    },
}
LEGAL_FORMS = {
    "DACH": ("GmbH", "AG", "GmbH & Co. KG", "SE", ""),
    "UK and Ireland": ("Ltd", "plc", "LLP", "Group", ""),
    "Nordics": ("AB", "A/S", "Oy", "AS", ""),
    "Southern Europe": ("S.A.", "S.L.", "S.p.A.", "S.r.l.", "Lda."),
    "US East": ("Inc.", "LLC", "Corp.", "Group", ""),
    "US West": ("Inc.", "LLC", "Corp.", "Co.", ""),
    "Canada": ("Inc.", "Ltd.", "Corp.", "Ltée", ""),
    "Australia and New Zealand": ("Pty Ltd", "Ltd", "Group", "Holdings", ""),
    "Japan": ("K.K.", "Co., Ltd.", "G.K.", "Holdings", ""),
    "South-East Asia": ("Pte. Ltd.", "Sdn Bhd", "Co., Ltd.", "Holdings", ""),
}
# By stage, from the first to the last; the last stage is the one of those that will not renew.
NEXT_STEPS = (
    ("Find out who owns the budget", "Book the first call", "Check usage before we call", "Send the renewal notice"),
    ("Ask for the new seat count", "Meet the new sponsor", "Go through the usage report", "Agree dates with buyers"),
    ("Send the quote", "Present the three-year option", "Answer security questions", "Price a smaller package"),
    ("Legal reviews the terms", "Agree the uplift", "Discount needs approval", "Call procurement about the order form"),
    ("Chase the purchase order", "Wait for the signature", "Confirm the billing address", "Send the order form again"),
    ("Ask for a closing talk", "Hand over the data export", "Offer a smaller package once more", "Note the reason"),
)
OVERDUE_STEPS = (
    "Order promised, call again on Monday",
    "Escalate to their head of purchasing",
    "Extend access by two weeks against a written promise",
    "Ask our sponsor what is holding the order",
)
EXCLUSION_REASONS = (
    "Moved into the parent company’s contract",
    "Product retired; replaced free of charge",
    "Divested before the due date",
)
