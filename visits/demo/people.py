"""Names of many cultures, all invented, and the people made of them."""

import random
from dataclasses import dataclass, field

# language, surnames, given names of adults, given names of children
PEOPLES: list[tuple[str, str, str, str]] = [
    (
        "es",
        "Ramírez Ortega Núñez Castillo Fuentes Ávila Cárdenas Peña Zúñiga Márquez Solís Ibarra",
        "Marta José Rosa Luis Elena Andrés Pilar Tomás Inés Raúl",
        "Mateo Lucía Sofía Diego Valentina Emiliano Camila Santiago Ximena Joaquín",
    ),
    (
        "en",
        "Johnson Baker O’Brien Sullivan Whitaker Coleman Brooks Freeman Hayes Lindqvist",
        "Denise Marcus Kathleen Terrence Paula Dwayne Susan Calvin Ruth Gary",
        "Jada Elijah Harper Noah Zoe Isaiah Grace Malik Hannah Owen",
    ),
    (
        "vi",
        "Nguyễn Trần Lê Phạm Đặng Hoàng Bùi Võ",
        "Hồng Minh Lan Tuấn Hương Dũng Thảo Quang",
        "An Linh Khoa Mai Bảo Ngọc Huy Vy",
    ),
    (
        "so",
        "Abdi Warsame Hassan Yusuf Farah Mohamud Jama Osman",
        "Fadumo Abdirahman Hodan Ismail Sahra Mahad Ayaan Liban",
        "Amina Zakaria Ikran Bilal Nasra Khalid Sumaya Idris",
    ),
    (
        "hmn",
        "Vang Xiong Yang Thao Moua Lor Her Vue",
        "Mai Tou Pa Chue Kao Blia Nhia Xeng",
        "Nkauj Teng Paj Kong Gaonou Fue Maly Yeng",
    ),
    (
        "ar",
        "الخطيب حداد منصور Khoury Saleh Nasser Aziz Haddad",
        "ليلى Omar Samira Yousef Rania Karim Huda Tariq",
        "نور Adam Layla Hadi Salma Zain Maryam Sami",
    ),
    (
        "zh",
        "Chen Wang Liu 黄 Zhao Lin Wu Zhou",
        "Mei Wei Xiu Jun Hui Ling Qiang Fang",
        "Yi Hao Xin Rui Jia Ming Lan Bo",
    ),
    (
        "pt",
        "Silva Gonçalves Araújo Conceição Barros Magalhães",
        "Fátima João Conceição Paulo Graça Rui",
        "Inês Tiago Beatriz Caio Lívia Davi",
    ),
    (
        "am",
        "Tesfaye Bekele Alemu Haile Girma Desta",
        "Tigist Dawit Hirut Yonas Selam Abebe",
        "Saron Nahom Bethel Eyob Meron Kaleb",
    ),
    (
        "ht",
        "Baptiste Jean-Louis Toussaint Désir Célestin Pierre",
        "Marie-Ange Jocelyn Ketly Wilner Rose-Laure Frantz",
        "Naïka Djimy Woodeline Jephté Nadège Stanley",
    ),
    (
        "tl",
        "Dela Cruz|Reyes|Bautista|Santos|Villanueva|Mercado",
        "Maricel Rommel Jocelyn Arnel Liza Danilo",
        "Althea Gabriel Bea Miguel Tala Andrei",
    ),
]
WEIGHTS = [30, 22, 9, 8, 7, 6, 5, 5, 3, 3, 2]

# The people one can log in as: e-mail, given name, family name.
EDUCATOR = ("educator@demo.example", "Ana", "Ruiz")
SECOND_EDUCATOR = ("second.educator@demo.example", "Ben", "Okafor")
STAFF = [
    ("site@demo.example", "Grace", "Thao", "site_coordinator"),
    ("program@demo.example", "Renée", "Baptiste", "program_coordinator"),
    ("finance@demo.example", "Howard", "Lindqvist", "finance"),
    ("funder@demo.example", "Imani", "Brooks", "partner"),
]
ADMINISTRATOR = ("admin@demo.example", "Alex", "Admin")
PASSWORD = "hopes-and-dreams"

SCHOOLS = [
    # id, name, contract day, grades
    ("10", "Cottonwood Elementary", ("07:45", "15:00"), ["KG", "01", "02", "03", "04", "05"]),
    ("20", "Prairie View Elementary", ("08:15", "15:30"), ["KG", "01", "02", "03", "04", "05"]),
    ("30", "Riverbend Middle School", ("07:30", "14:45"), ["06", "06", "07", "07", "08", "08"]),
    ("40", "Lincoln High School", ("07:15", "14:30"), ["09", "09", "10", "10", "11", "12"]),
]
EDUCATORS_EACH = 10
CLASS_SIZE = 25
AREA_CODES = ["312", "773", "847", "708", "630", "815", "224", "331", "464", "872"]


@dataclass
class Child:
    id: str
    given: str
    family: str


@dataclass
class Household:
    id: str
    language: str
    surname: str
    caregivers: list[tuple[str, str, str, str, str]]  # given, family, relation, phone, channel
    children: list[Child] = field(default_factory=list)


def words(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split()


def households(dice: random.Random) -> list[Household]:
    """400 households with 600 children: most with one or two, ten with four."""
    sizes = [1] * 250 + [2] * 110 + [3] * 30 + [4] * 10
    dice.shuffle(sizes)
    # Numbers that no telephone company gives out, each to one person.
    numbers = [f"+1{area}55501{number:02}" for area in AREA_CODES for number in range(100)]
    dice.shuffle(numbers)
    made, child_number = [], 0
    for number, size in enumerate(sizes, start=1):
        language, surnames, adults, children = dice.choices(PEOPLES, WEIGHTS)[0]
        surname = dice.choice(words(surnames))
        if language == "es":
            surname = f"{surname} {dice.choice(words(surnames))}"
        household = Household(f"H{number:03}", language, surname, [])
        women = dice.sample(words(adults)[::2], 2)
        man = dice.choice(words(adults)[1::2])
        relations = dice.choice(
            [("mother", "father"), ("mother",), ("father",), ("grandmother", "mother"), ("aunt",)]
        )
        for relation in relations:
            name = man if relation == "father" else women.pop()
            phone = numbers.pop()
            channel = dice.choice(["call", "text", "text", "email"])
            household.caregivers.append((name, surname, relation, phone, channel))
        for given in dice.sample(words(children), min(size, len(words(children)))):
            child_number += 1
            household.children.append(Child(f"S{child_number:04}", given, surname))
        made.append(household)
    return made


def educators(dice: random.Random) -> list[list[tuple[str, str, str]]]:
    """For each school ten educators: e-mail, given and family name."""
    taken = {EDUCATOR[1:], SECOND_EDUCATOR[1:]}
    staff: list[list[tuple[str, str, str]]] = []
    for _school in SCHOOLS:
        people: list[tuple[str, str, str]] = []
        while len(people) < EDUCATORS_EACH:
            _language, surnames, adults, _children = dice.choices(PEOPLES, WEIGHTS)[0]
            name = (dice.choice(words(adults)), dice.choice(words(surnames)))
            if name in taken:
                continue
            taken.add(name)
            people.append((f"educator{len(staff) * 10 + len(people) + 1}@demo.example", *name))
        staff.append(people)
    staff[0][0], staff[0][1] = EDUCATOR, SECOND_EDUCATOR
    return staff
