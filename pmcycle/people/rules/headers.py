"""How HR systems call the columns of their exports, in plain small letters without accents.

English, German, French, Spanish, Portuguese, Japanese and Chinese; as BambooHR, Workday, Personio,
SAP SuccessFactors, ADP, Google and Entra write them. A header is compared with its blanks taken out,
so "Emp ID", "EmpID" and "emp_id" are one. The first of a field wins over those behind it.
"""

from __future__ import annotations

PEOPLE: dict[str, tuple[str, ...]] = {
    "number": (
        "employee number", "employee id", "employee no", "emp id", "emp no", "emp num", "emp number",
        "emp code", "employee code", "employee #", "empl id", "eeid", "staff number", "staff id",
        "personnel number", "person id", "person id external", "user sys id", "user id", "payroll number",
        "worker id", "associate id", "position id", "file number", "personalnummer", "mitarbeiternummer",
        "mitarbeiter nr", "personal nr", "pers nr", "mitarbeiter id", "matricule", "numero d employe", "numero employe",
        "id employe", "numero de empleado", "no empleado", "id de empleado", "legajo", "matricula",
        "numero do funcionario", "id do funcionario", "id do colaborador", "社員番号", "従業員番号",
        "従業員id", "社員id", "员工编号", "工号", "员工号", "员工id", "人员编号", "number", "id",
    ),
    "name": (
        "employee name", "full name", "name", "employee", "worker", "display name", "legal name",
        "preferred name", "payroll name", "associate name", "vollstandiger name", "mitarbeiter", "anzeigename",
        "nom complet", "nom et prenom", "nom prenom", "nombre completo", "nombre y apellidos",
        "apellidos y nombre", "nome completo", "nome do funcionario", "氏名", "名前", "社員名", "従業員名",
        "姓名", "名字", "员工姓名",
    ),
    "given_name": (
        "first name", "given name", "forename", "legal first name", "preferred first name",
        "legal name first name", "preferred name first name", "employee first name", "worker first name", "f name",
        "vorname", "rufname", "prenom", "nombre", "nombres", "primeiro nome", "名",
    ),
    "family_name": (
        "last name", "family name", "surname", "legal last name", "preferred last name", "legal name last name",
        "preferred name last name", "employee last name", "worker last name", "l name", "nachname",
        "familienname", "nom de famille", "nom", "apellido", "apellidos", "primer apellido", "sobrenome",
        "apelido", "ultimo nome", "姓", "苗字", "姓氏",
    ),
    "email": (
        "work email", "e mail", "email", "email address", "business email", "primary email",
        "user principal name", "email address required", "email primary work", "work contact work email",
        "mail", "e mail adresse", "dienstliche e mail", "geschaftliche e mail", "courriel", "adresse e mail",
        "adresse email", "e mail professionnel", "email professionnel", "correo", "correo electronico",
        "email corporativo", "e mail corporativo", "メールアドレス", "メール", "电子邮件", "邮箱", "电子邮箱",
        "工作邮箱",
    ),
    "job_title": (
        "position", "job title", "title", "business title", "position title", "job profile", "job position",
        "role", "job", "designation", "employee title", "job title description", "job code description",
        "stelle", "stellenbezeichnung", "positionsbezeichnung", "funktion", "jobtitel", "berufsbezeichnung",
        "poste", "intitule du poste", "fonction", "emploi", "puesto", "cargo", "titulo del puesto", "funcao",
        "役職", "職種", "职位", "职务", "岗位",
    ),
    "job_family": (
        "job family", "job group", "job family group", "career track", "function", "job function",
        "berufsgruppe", "jobfamilie", "famille d emploi", "familia de puestos", "familia de cargos", "職群",
        "职位族", "岗位序列",
    ),
    "grade": (
        "grade", "level", "band", "pay grade", "job grade", "job level", "salary grade", "compensation grade",
        "management level", "entgeltgruppe", "gehaltsgruppe", "tarifgruppe", "besoldungsgruppe", "echelon",
        "classe", "coefficient", "grado", "nivel", "banda", "等級", "グレード", "职级", "级别",
    ),
    "unit": (
        "department", "dept", "dept name", "department name", "unit", "team", "division", "org unit",
        "org unit path", "org unit path required", "organization unit", "business unit",
        "supervisory organization", "home department", "home department description", "cost centre name",
        "cost center", "abteilung", "bereich", "organisationseinheit", "kostenstelle", "departement",
        "service", "direction", "equipe", "departamento", "area", "unidad", "unidade", "setor", "部署", "所属",
        "所属部署", "部門", "部门", "所属部门",
    ),
    "location": (
        "work location", "location", "site", "office", "office location", "location description", "city",
        "state", "country", "standort", "arbeitsort", "buro", "lieu", "lieu de travail", "ubicacion",
        "centro de trabajo", "sede", "localidade", "local de trabalho", "勤務地", "事業所", "工作地点", "地点",
        "办公地点",
    ),
    "manager": (
        "manager id", "manager number", "manager employee id", "supervisor id", "manager employee number",
        "manager e mail", "manager email", "manager name", "manager", "supervisor", "supervisor name",
        "reports to", "reporting to", "reports to name", "reporting manager", "line manager", "direct manager",
        "mgr", "mgr name", "mgr id", "worker s manager", "manager user sys id", "vorgesetzter", "vorgesetzte",
        "fuhrungskraft", "direkter vorgesetzter", "responsable", "responsable hierarchique",
        "superieur hierarchique", "superieur", "jefe", "jefe directo", "supervisor directo", "gestor",
        "gestor direto", "gerente", "lider", "上司", "上長", "マネージャー", "直属上司", "上级", "直属上级",
        "直接上级", "经理", "汇报对象", "直线经理",
    ),
    "hired_on": (
        "date of hire", "hire date", "hired on", "start date", "original hire date", "most recent hire date",
        "hired", "joined", "joining date", "join date", "date of joining", "date joined", "doh", "doj",
        "entry date", "employee hire date", "date hired", "seniority date", "eintrittsdatum", "eintritt",
        "einstellungsdatum", "beschaftigt seit", "beginn", "date d embauche", "date d entree", "date embauche",
        "fecha de contratacion", "fecha de ingreso", "fecha de alta", "fecha ingreso", "data de admissao",
        "data de contratacao", "admissao", "data admissao", "入社日", "入社年月日", "雇用日", "入职日期",
        "入职时间", "聘用日期",
    ),
    "left_on": (
        "date of termination", "termination date", "leaving date", "left on", "end date", "exit date",
        "last day", "last working day", "last day of work", "employee leave date", "date of leaving", "dot",
        "doe", "term date", "end employment date", "austrittsdatum", "austritt", "letzter arbeitstag",
        "kundigungsdatum", "vertragsende", "date de sortie", "date de depart", "date de fin", "fecha de baja",
        "fecha de salida", "fecha de terminacion", "data de demissao", "data de desligamento", "data de saida",
        "退職日", "退社日", "离职日期", "离职时间",
    ),
    "status": (
        "employment status", "status", "state of employment", "employee status", "worker status", "emplstatus",
        "position status", "account status", "beschaftigungsstatus", "mitarbeiterstatus", "statut",
        "statut de l employe", "estado", "estado laboral", "estatus", "situacao", "在籍状況", "在籍区分",
        "雇用状態", "员工状态", "在职状态", "状态",
    ),
    "leave_reason": (
        "reason for term", "termination reason", "reason for leaving", "leave reason", "term reason",
        "termination reason description", "austrittsgrund", "kundigungsgrund", "motif de depart",
        "motif de sortie", "motivo de baja", "motivo de salida", "motivo do desligamento", "退職理由",
        "离职原因",
    ),
    "pay": (
        "pay rate", "salary", "pay", "base pay", "annual salary", "yearly salary", "monthly salary",
        "base salary", "hourly rate", "monthly pay", "hourly pay", "hourly wage", "wage", "sal", "rate",
        "regular pay rate amount", "annual rate", "total base pay", "total base pay amount",
        "compensation amount", "fixsalar", "gehalt", "grundgehalt", "jahresgehalt", "monatsgehalt",
        "bruttogehalt", "stundenlohn", "lohn", "vergutung", "fixgehalt", "salaire", "salaire annuel",
        "salaire mensuel", "salaire de base", "remuneration", "taux horaire", "salario", "sueldo",
        "salario anual", "salario mensual", "salario base", "salario mensal", "remuneracao", "給与", "基本給",
        "月給", "年収", "時給", "年俸", "工资", "薪资", "月薪", "年薪", "时薪", "基本工资", "薪酬",
    ),
    "pay_per": (
        "pay per", "paid per", "pay frequency", "pay basis", "pay type", "rate type", "salary type",
        "wage type", "frequency", "salary interval", "compensation frequency", "lohnart", "gehaltsintervall",
        "periodicite", "periodicidad", "periodicidade", "給与形態", "计薪方式",
    ),
    "currency": (
        "currency", "pay currency", "currency code", "salary currency", "pay rate currency code", "wahrung",
        "devise", "moneda", "moeda", "通貨", "币种", "货币",
    ),
    "fte": (
        "fte", "full time equivalent", "fte percent", "beschaftigungsgrad", "arbeitszeitanteil",
        "stellenanteil", "etp", "equivalent temps plein", "taux d activite", "etc", "jornada", "常勤換算",
        "工时比例",
    ),
    "sex": (
        "sex", "gender", "gender code", "geschlecht", "sexe", "genre", "sexo", "genero", "性別", "性别",
    ),
    "born_on": (
        "dob", "date of birth", "birth date", "born on", "birthday", "birthdate", "geburtsdatum", "geburtstag",
        "date de naissance", "fecha de nacimiento", "data de nascimento", "生年月日", "誕生日", "出生日期",
        "生日",
    ),
}  # fmt: skip

PAY_RANGES: dict[str, tuple[str, ...]] = {
    "job_title": PEOPLE["job_title"],
    "grade": PEOPLE["grade"],
    "minimum": (
        "salary min", "min", "minimum", "annual min", "yearly min", "low", "range minimum", "minimo", "下限",
        "最低", "最低值",
    ),
    "midpoint": (
        "salary mid", "mid", "midpoint", "mid point", "median", "middle", "annual mid", "yearly mid", "mitte",
        "milieu", "medio", "mediana", "中央値", "中位值", "中位数",
    ),
    "maximum": (
        "salary max", "max", "maximum", "annual max", "yearly max", "high", "range maximum", "maximo", "上限",
        "最高", "最高值",
    ),
    "currency": PEOPLE["currency"],
}  # fmt: skip

# What a header says about the unit of pay: beginnings of words, and signs.
BASES: dict[str, tuple[str, ...]] = {
    "hour": ("hour", "hr", "stund", "horaire", "heure", "hora", "時給", "时薪", "小时"),
    "month": ("month", "monat", "mensu", "mois", "mensal", "mes", "月"),
    "year": ("annu", "year", "yr", "jahr", "anual", "ano", "an", "年"),
}
