# fish completion for towerify's tools
#
# Verbs, options and columns are asked of the tool itself (--dump-cli), host
# names, changes and logins of the state that the command line names.  What
# can't be asked completes to nothing, in silence.  The functions share the
# variables of the first, __towerify_complete.

# What the tool says of itself: verbs, with summaries and args beside them; the
# options of the verb that was found in names, letters, metas, many, helps;
# columns.
function __towerify_tables --no-scope-shadowing
    set verbs
    set summaries
    set args
    set names
    set letters
    set metas
    set many
    set helps
    set columns
    set -l line
    for line in $dump
        set -l f (string split \t -- $line)
        switch $f[1]
            case verb
                set -a verbs $f[2]
                set -a args $f[3]
                set -a summaries $f[4]
            case option
                if test -z "$f[2]" -o "$f[2]" = "$verb"
                    set -a names --$f[3]
                    set -a letters "-$f[4]"
                    set -a metas "$f[5]"
                    set -a many "$f[6]"
                    set -a helps "$f[7]"
                end
            case column
                test "$f[2]" = "$verb"
                and set -a columns $f[3]\t$f[6]
        end
    end
end

# The words before the current one: sets verb, group, option (the one whose
# argument is being typed), nargs, used and place (--state, --org).
function __towerify_read --no-scope-shadowing
    set -l ended
    set -l word
    for word in $words
        if test -n "$option"
            contains -- $option --state --org
            and set -a place $option=$word
            set option ''
        else if test -n "$ended"; or not string match -q -- '-?*' $word
            if test -z "$verb"; and contains -- "$group$word" $verbs
                set verb "$group$word"
                __towerify_tables
            else if test -z "$verb$group"
                and string match -q -- "$word *" $verbs
                set group "$word "
            else
                set nargs (math $nargs + 1)
            end
        else if test "$word" = --
            set ended yes
        else if string match -q -- '--*' $word
            set -l name (string replace -r '=.*' '' -- $word)
            set -a used $name
            if string match -q -r -- '^--(state|org)=' $word
                set -a place $word
            else if not string match -q -- '*=*' $word
                __towerify_takes $name
                and set option $name
            end
        else
            set -l rest (string sub -s 2 -- $word)
            while test -n "$rest"
                set -l i (contains -i -- -(string sub -l 1 -- $rest) $letters)
                set rest (string sub -s 2 -- $rest)
                test -n "$i"
                or continue
                set -a used $names[$i]
                __towerify_takes $names[$i]
                or continue
                test -n "$rest"
                or set option $names[$i]
                break
            end
        end
    end
end

# Does the option need an argument?
function __towerify_takes --no-scope-shadowing
    set -l at (contains -i -- $argv[1] $names)
    and string match -q -r -- '^[^\[]' "$metas[$at]"
end

# ask NOUN ARGUMENT…: a tool's answer, of the state that is meant
function __towerify_ask --no-scope-shadowing
    set -l program (string replace -r 'towerify-[a-z]+$' towerify-$argv[1] -- $tool)
    command $program $place $argv[2..-1] --tsv -n 2>/dev/null </dev/null
end

# one_of WORD…: those that begin as what is typed does; a word's explanation
# stands behind a tab
function __towerify_one_of --no-scope-shadowing
    set -l word
    for word in $argv
        test (string sub -l (string length -- "$typed") -- "$word") = "$typed"
        and printf '%s\n' "$before$word"
    end
end

# list_of WORD…: the same where several stand with commas between
function __towerify_list_of --no-scope-shadowing
    set -l head (string match -r '^.*,' -- $typed)
    set -l given (string split , -- "$head")
    set -l word
    test -z "$head"
    or set given[1] (string replace -r '^\+' '' -- $given[1])
    if test -z "$head"
        set head (string match -r '^\+' -- $typed)
    end
    for word in $argv
        contains -- (string replace -r '\t.*' '' -- $word) $given
        or __towerify_one_of "$head$word"
    end
end

function __towerify_hosts --no-scope-shadowing
    set -l last (string replace -r '^.*,' '' -- $typed)
    switch "$last"
        case '@*'
            __towerify_list_of @(__towerify_ask host list -o labels |
                string split , | string match -r '.+' | sort -u)
        case '!*'
            __towerify_list_of !(__towerify_ask host list -o name)
        case '*'
            __towerify_list_of (__towerify_ask host list -o name)
    end
end

# Those of the organisation; who may not see them gets their own.
function __towerify_logins --no-scope-shadowing
    set -l logins (__towerify_ask op list -o operator)
    test -n "$logins"
    or set logins (__towerify_ask op whoami -o operator)
    __towerify_one_of $logins
end

function __towerify_apps --no-scope-shadowing
    if string match -q -- '*@*' $typed
        __towerify_one_of (__towerify_ask app list \
            (string replace -r '@.*' '' -- $typed) -o name,version |
            string replace \t @)
    else
        __towerify_one_of (__towerify_ask app list -o name | sort -u)
    end
end

function __towerify_ids --no-scope-shadowing
    set -l filter --all
    switch $verb
        case wait cancel
            set filter
        case abandon
            set filter --status running
        case retry
            set filter --status succeeded,rolled-back,failed,cancelled,unknown
    end
    __towerify_one_of (__towerify_ask queue list $filter -o id,title |
        string replace -r '^(\d+\t?)(.*)$' '$1$2')
end

function __towerify_files --no-scope-shadowing
    set -l path
    for path in ($argv[1] "$typed")
        printf '%s\n' "$before$path"
    end
end

# what METAVARIABLE: of an option's or a verb's argument
function __towerify_what --no-scope-shadowing
    set -l what (string replace -r '^\[' '' -- $argv[1] | string replace -r '\]$' '')
    set -l rights view deploy change host audit admin
    switch "$what"
        case TARGETS NAME
            if test "$option" = --org; or string match -q 'org *' -- $verb
                test -z "$option" -a "$verb" = 'org add'
                or __towerify_one_of (__towerify_ask op org list -o name)
            else if test "$verb" != add -o "$what" = TARGETS
                __towerify_hosts
            end
        case FILE 'FILE|DIR' 'FILE|DIR|URL'
            __towerify_files __fish_complete_path
        case DIR
            __towerify_files __fish_complete_directories
        case APP 'APP[@VERSION' PATTERN
            __towerify_apps
        case INSTANCE 'INSTANCE[@VERSION'
            test "$option" = --name
            or __towerify_one_of (__towerify_ask app instances -o name | sort -u)
        case ID 'ID...'
            __towerify_ids
        case LOGIN
            string match -q -- '*-op' $tool; and test "$verb" = add
            or __towerify_logins
        case PERMISSION
            __towerify_one_of $rights
        case 'PERMISSION,...'
            __towerify_list_of $rights
        case SCOPE 'SCOPE...'
            if string match -q 'hosts:*' -- $typed
                set typed (string replace hosts: '' -- $typed)
                set before "$before"hosts:
            else
                __towerify_one_of org hosts: app:
            end
            __towerify_hosts
        case 'admin=yes|no'
            __towerify_one_of admin=yes admin=no
        case 'COL,...'
            __towerify_list_of $columns
        case 'S,...'
            # its help ends in them: "only these: queued, held, …"
            set -l i (contains -i -- --status $names)
            __towerify_list_of (string replace -r '^[^:]*: ' '' -- $helps[$i] |
                string split ', ')
        case WHEN
            __towerify_one_of auto always never
        case 'KEY=VALUE...'
            __towerify_one_of address= user= port= via= identity= sudo= \
                ssh-config=yes ssh-config=no spool= transport= label. \
                host-key=accept spool-id=accept
        case 'K=V'
            if test "$option" = --param
                and string match -q -- '*@*' $typed
                set before $before(string match -r '^[^@]*@' -- $typed)
                set typed (string replace -r '^[^@]*@' '' -- $typed)
                __towerify_files __fish_complete_path
            end
        case '*'
            string match -q -r -- '^[a-z0-9|]+$' "$what"
            and __towerify_one_of (string split '|' -- $what)
    end
end

function __towerify_argument --no-scope-shadowing
    set -l i (contains -i -- "$verb" $verbs)
    test -n "$i"
    or return
    set -l spec (string split -n ' ' -- $args[$i])
    set i (math $nargs + 1)
    if test $i -gt (count $spec)
        string match -q -r -- '[^,]\.\.\.$' "$spec[-1]"
        or return
        set i (count $spec)
    end
    test $i -gt 0
    and not string match -q '*HOST*' -- $spec[$i]
    and __towerify_what $spec[$i]
end

function __towerify_options --no-scope-shadowing
    set -l i
    for i in (seq (count $names))
        if not contains -- $names[$i] $used; or test -n "$many[$i]"
            __towerify_one_of $names[$i]\t$helps[$i]
        end
    end
end

# Verbs, or with a group the second words of its verbs.
function __towerify_verbs --no-scope-shadowing
    set -l i
    set -l seen
    for i in (seq (count $verbs))
        set -l word (string replace -r -- "^$group" '' $verbs[$i])
        test -n "$group" -a "$word" = "$verbs[$i]"
        and continue
        set -l first (string replace -r ' .*' '' -- $word)
        contains -- $first $seen
        and continue
        set -a seen $first
        if test "$first" = "$word"
            __towerify_one_of $word\t$summaries[$i]
        else
            __towerify_one_of $first
        end
    end
end

function __towerify_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct | string unescape 2>/dev/null)
    set -l tool (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l before ''
    set -l verb ''
    set -l group ''
    set -l option ''
    set -l nargs 0
    set -l place
    set -l used
    set -l verbs
    set -l summaries
    set -l args
    set -l names
    set -l letters
    set -l metas
    set -l many
    set -l helps
    set -l columns
    command -q $tool
    or return
    set -l dump (command $tool --dump-cli 2>/dev/null </dev/null)
    set -e words[1]
    __towerify_tables
    __towerify_read
    set -l name (string match -r -- '^--[^=]*(?==)' "$typed")
    set -l i (contains -i -- "$name" $names)
    if test -n "$option"
        __towerify_what $metas[(contains -i -- $option $names)]
    else if test -n "$i"; and test -n "$metas[$i]"
        set option $name
        set before $name=
        set typed (string replace -r '^[^=]*=' '' -- $typed)
        __towerify_what $metas[$i]
    else if string match -q -- '-*' "$typed"
        __towerify_options
    else if test -z "$verb" -a -n "$verbs[1]"
        __towerify_verbs
    else
        __towerify_argument
    end
end

complete -c towerify-host -c towerify-app -c towerify-queue -c towerify-run \
    -c towerify-audit -c towerify-op -f -a '(__towerify_complete)'
