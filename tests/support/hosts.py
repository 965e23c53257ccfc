"""A small host, as an author in another language would write it."""

HOST = """
import json, os, sys, time
from teleproto_conformance.subjects.objects import Objects, show
from teleproto_sessions import AuthKey, MemorySession

class Host:
    session = MemorySession

    def hello(self, protocol, implementation, path, members, keys):
        if protocol != 1:
            return {"refused": "this host speaks protocol 1"}
        self.members = members
        said = dict(protocol=1, language="python", name="Small", pid=os.getpid())
        return {"returned": {**said, "promised": "memory", "guess": None}}

    def begin(self, workdir):
        os.chdir(workdir)
        self.sessions, self.objects, self.shown = {}, Objects(), []
        return {"returned": None}

    def open(self, session, arguments):
        self.sessions.pop(session, None)
        def construct():
            self.sessions[session] = self.session(*arguments)
        return self.attempt(construct)

    def drop(self, session):
        del self.sessions[session]
        return {"returned": None}

    def has(self, session, member):
        return {"returned": hasattr(self.sessions[session], member)}

    def observe(self, session, member):
        session, _ = self.sessions[session], self.members[member]
        return self.attempt(lambda: getattr(session, member))

    def set(self, session, member, value):
        session, value = self.sessions[session], self.objects.build(value)
        return self.attempt(lambda: setattr(session, member, value))

    def call(self, session, member, arguments):
        session, _ = self.sessions[session], self.members[member]
        built = [self.objects.build(argument) for argument in arguments]
        return self.attempt(lambda: getattr(session, member)(*built))

    def together(self, calls):
        return {"returned": [self.call(*call) for call in calls]}

    def pause(self, milliseconds):
        time.sleep(milliseconds / 1000)
        return {"returned": None}

    def chdir(self, directory):
        os.chdir(directory)
        return {"returned": None}

    def texts(self, session):
        return {"returned": self.shown}

    def finish(self):
        self.sessions = {}
        return {"returned": True}

    def attempt(self, action):
        try:
            return {"returned": show(action())}
        except Exception as error:
            self.shown.append(["errors", "an error", repr(error)])
            return self.raised(error)

    def raised(self, error):
        return {"raised": repr(error), "everything": repr(error), "fatal": False}

    def answer(self, do, **given):
        try:
            return getattr(self, do)(**given)
        except Exception as error:
            return {"fault": repr(error)}

    def say(self, answer):
        self.channel.write(json.dumps(answer) + "\\n")
        self.channel.flush()

    def serve(self):
        self.channel = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        for line in sys.stdin:
            request = json.loads(line)
            if request["do"] == "exit":
                break
            self.say(self.answer(**request))

"""
